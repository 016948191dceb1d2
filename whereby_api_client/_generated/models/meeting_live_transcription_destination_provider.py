"""Generated from openapi/whereby.patched.json by `make generate`: never edited by hand."""

from ..._runtime.model import OpenEnum


class MeetingLiveTranscriptionDestinationProvider(OpenEnum):
    """The provider being used to store the transcript.
    - `s3` - Use your S3 bucket to store transcriptions. There are two valdidation methods for
      authentication. `accessKey` - The `bucket`, `region`, `accessKeyId` and `accessKeySecret`
      fields are required for this option. `roleBased` - The `bucket` and `oidcRoleArn` fields are
      required for this option.
    - `whereby` - Store transcriptions on Whereby hosted storage. The `bucket`, `region`,
      `accessKeyId` and `accessKeySecret` fields are not required for this option.
    """

    S3 = "s3"
    WHEREBY = "whereby"
