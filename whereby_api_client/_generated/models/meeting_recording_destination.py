"""Generated from openapi/whereby.patched.json by `make generate`: never edited by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, ClassVar, Self

from attrs import define, field

from ..._runtime.codec import (
    absent,
    explain,
    member,
    object_in,
)
from ..._runtime.model import Model, show_secret
from ...types import UNSET, Unset
from .meeting_recording_destination_authentication_type import (
    MeetingRecordingDestinationAuthenticationType,
)
from .meeting_recording_destination_file_format import MeetingRecordingDestinationFileFormat
from .meeting_recording_destination_provider import MeetingRecordingDestinationProvider

_new = object.__new__
_fromisoformat = datetime.fromisoformat
_MeetingRecordingDestinationAuthenticationType: Callable[[Any], Any] = (
    MeetingRecordingDestinationAuthenticationType._value2member_map_.get
)
_MeetingRecordingDestinationFileFormat: Callable[[Any], Any] = (
    MeetingRecordingDestinationFileFormat._value2member_map_.get
)
_MeetingRecordingDestinationProvider: Callable[[Any], Any] = (
    MeetingRecordingDestinationProvider._value2member_map_.get
)


@define(kw_only=True)
class MeetingRecordingDestination(Model):
    """Information regarding where the recording should be stored. If this is not required, or should
    be inherited, it should be set to null.

    Attributes:
        provider: The provider being used to store the stream.
            - `s3` - Use your S3 bucket to store recordings. There are two valdidation methods for
              authentication. `accessKey` - The `bucket`, `region`, `accessKeyId` and
              `accessKeySecret` fields are required for this option. `roleBased` - The `bucket` and
              `oidcRoleArn` fields are required for this option.
            - `whereby` - Store recordings on Whereby hosted storage. The `bucket`, `accessKeyId`
              and `accessKeySecret` fields are not required for this option.
        authentication_type: Authentication type to use for S3 storage. See
            [here](https://docs.whereby.com/meeting-content-and-quality/authentication-for-s3-storage)
            for more details
        bucket: The name of the s3 bucket. Optionally subfolders can be also specified here,
            e.g. "my-bucket/recordings" will upload recordings to the "recordings" folder of the
            "my-bucket" bucket.
        access_key_id: The s3 access key id
        access_key_secret: The s3 access key secret
        file_format: The format of the recording. By default the value should be taken from the
            organization settings.
        oidc_role_arn: The role ARN for OIDC authentication. Only available when
            `authenticationType` is set to `roleBased`
        region: The s3 region
    """

    provider: MeetingRecordingDestinationProvider | str
    authentication_type: MeetingRecordingDestinationAuthenticationType | str | Unset = UNSET
    bucket: str | Unset = UNSET
    access_key_id: str | Unset = UNSET
    access_key_secret: str | Unset = field(default=UNSET, repr=show_secret)
    file_format: MeetingRecordingDestinationFileFormat | str | Unset = UNSET
    oidc_role_arn: str | Unset = UNSET
    region: str | Unset = UNSET

    _wire_names: ClassVar[Mapping[str, str]] = {
        "provider": "provider",
        "authentication_type": "authenticationType",
        "bucket": "bucket",
        "access_key_id": "accessKeyId",
        "access_key_secret": "accessKeySecret",
        "file_format": "fileFormat",
        "oidc_role_arn": "oidcRoleArn",
        "region": "region",
    }

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        """Read the model from the API's JSON.

        Raises:
            DecodeError: a required field is missing, or a value is of another type.
        """
        d = src_dict if type(src_dict) is dict else object_in(cls, src_dict)
        get = d.get
        self = _new(cls)
        try:
            v = d["provider"]
            self.provider = _MeetingRecordingDestinationProvider(v) or member(
                MeetingRecordingDestinationProvider, cls, "provider", v
            )
            v = get("authenticationType", UNSET)
            self.authentication_type = _MeetingRecordingDestinationAuthenticationType(v) or member(
                MeetingRecordingDestinationAuthenticationType, cls, "authenticationType", v
            )
            v = get("bucket", UNSET)
            self.bucket = v if type(v) is str else absent(cls, "bucket", "a string", v)
            v = get("accessKeyId", UNSET)
            self.access_key_id = v if type(v) is str else absent(cls, "accessKeyId", "a string", v)
            v = get("accessKeySecret", UNSET)
            self.access_key_secret = (
                v if type(v) is str else absent(cls, "accessKeySecret", "a string", v)
            )
            v = get("fileFormat", UNSET)
            self.file_format = _MeetingRecordingDestinationFileFormat(v) or member(
                MeetingRecordingDestinationFileFormat, cls, "fileFormat", v
            )
            v = get("oidcRoleArn", UNSET)
            self.oidc_role_arn = v if type(v) is str else absent(cls, "oidcRoleArn", "a string", v)
            v = get("region", UNSET)
            self.region = v if type(v) is str else absent(cls, "region", "a string", v)
        except (KeyError, TypeError, ValueError) as error:
            raise explain(
                error,
                cls,
                d,
                dates=(),
                choices=(
                    "provider",
                    "authenticationType",
                    "fileFormat",
                ),
            ) from None
        self._extra = None
        self._source = d
        return self
