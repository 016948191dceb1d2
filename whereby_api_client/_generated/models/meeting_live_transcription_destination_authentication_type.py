"""Generated from openapi/whereby.patched.json by `make generate`: never edited by hand."""

from ..._runtime.model import OpenEnum


class MeetingLiveTranscriptionDestinationAuthenticationType(OpenEnum):
    """Authentication type to use for S3 storage. See here for more details:
    https://docs.whereby.com/meeting-content-and-quality/authentication-for-s3-storage
    """

    ACCESSKEY = "accessKey"
    ROLEBASED = "roleBased"
