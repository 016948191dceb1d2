"""Generated from openapi/whereby.patched.json by `make generate`: never edited by hand.

Each class is loaded when it is first used: building all of them takes longer than importing httpx.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .access_link import AccessLink as AccessLink
    from .created_at_filter import CreatedAtFilter as CreatedAtFilter
    from .created_summary import CreatedSummary as CreatedSummary
    from .created_transcription import CreatedTranscription as CreatedTranscription
    from .meeting import Meeting as Meeting
    from .meeting_field import MeetingField as MeetingField
    from .meeting_live_transcription import MeetingLiveTranscription as MeetingLiveTranscription
    from .meeting_live_transcription_destination import (
        MeetingLiveTranscriptionDestination as MeetingLiveTranscriptionDestination,
    )
    from .meeting_live_transcription_destination_authentication_type import (
        MeetingLiveTranscriptionDestinationAuthenticationType as MeetingLiveTranscriptionDestinationAuthenticationType,
    )
    from .meeting_live_transcription_destination_provider import (
        MeetingLiveTranscriptionDestinationProvider as MeetingLiveTranscriptionDestinationProvider,
    )
    from .meeting_live_transcription_language import (
        MeetingLiveTranscriptionLanguage as MeetingLiveTranscriptionLanguage,
    )
    from .meeting_live_transcription_start_trigger import (
        MeetingLiveTranscriptionStartTrigger as MeetingLiveTranscriptionStartTrigger,
    )
    from .meeting_page import MeetingPage as MeetingPage
    from .meeting_recording import MeetingRecording as MeetingRecording
    from .meeting_recording_destination import (
        MeetingRecordingDestination as MeetingRecordingDestination,
    )
    from .meeting_recording_destination_authentication_type import (
        MeetingRecordingDestinationAuthenticationType as MeetingRecordingDestinationAuthenticationType,
    )
    from .meeting_recording_destination_file_format import (
        MeetingRecordingDestinationFileFormat as MeetingRecordingDestinationFileFormat,
    )
    from .meeting_recording_destination_provider import (
        MeetingRecordingDestinationProvider as MeetingRecordingDestinationProvider,
    )
    from .meeting_recording_start_trigger import (
        MeetingRecordingStartTrigger as MeetingRecordingStartTrigger,
    )
    from .meeting_recording_type import MeetingRecordingType as MeetingRecordingType
    from .meeting_streaming import MeetingStreaming as MeetingStreaming
    from .meeting_streaming_destination import (
        MeetingStreamingDestination as MeetingStreamingDestination,
    )
    from .meeting_streaming_start_trigger import (
        MeetingStreamingStartTrigger as MeetingStreamingStartTrigger,
    )
    from .participant_details import ParticipantDetails as ParticipantDetails
    from .participant_insights import ParticipantInsights as ParticipantInsights
    from .participant_insights_page import ParticipantInsightsPage as ParticipantInsightsPage
    from .recording import Recording as Recording
    from .recording_page import RecordingPage as RecordingPage
    from .room_colors import RoomColors as RoomColors
    from .room_insights import RoomInsights as RoomInsights
    from .room_insights_page import RoomInsightsPage as RoomInsightsPage
    from .room_logo_theme import RoomLogoTheme as RoomLogoTheme
    from .room_mode import RoomMode as RoomMode
    from .room_name_filter import RoomNameFilter as RoomNameFilter
    from .room_name_pattern import RoomNamePattern as RoomNamePattern
    from .room_palette import RoomPalette as RoomPalette
    from .room_session_insights import RoomSessionInsights as RoomSessionInsights
    from .room_session_insights_page import RoomSessionInsightsPage as RoomSessionInsightsPage
    from .room_theme import RoomTheme as RoomTheme
    from .room_tokens import RoomTokens as RoomTokens
    from .room_tokens_preset import RoomTokensPreset as RoomTokensPreset
    from .summary import Summary as Summary
    from .summary_page import SummaryPage as SummaryPage
    from .summary_template import SummaryTemplate as SummaryTemplate
    from .template_type import TemplateType as TemplateType
    from .throttle_error import ThrottleError as ThrottleError
    from .throttle_error_data import ThrottleErrorData as ThrottleErrorData
    from .transcription import Transcription as Transcription
    from .transcription_page import TranscriptionPage as TranscriptionPage
    from .transcription_state import TranscriptionState as TranscriptionState
    from .transcription_storage_type import TranscriptionStorageType as TranscriptionStorageType
    from .transcription_type import TranscriptionType as TranscriptionType

_MODULES = {
    "AccessLink": "access_link",
    "CreatedAtFilter": "created_at_filter",
    "CreatedSummary": "created_summary",
    "CreatedTranscription": "created_transcription",
    "Meeting": "meeting",
    "MeetingField": "meeting_field",
    "MeetingLiveTranscription": "meeting_live_transcription",
    "MeetingLiveTranscriptionDestination": "meeting_live_transcription_destination",
    "MeetingLiveTranscriptionDestinationAuthenticationType": "meeting_live_transcription_destination_authentication_type",
    "MeetingLiveTranscriptionDestinationProvider": "meeting_live_transcription_destination_provider",
    "MeetingLiveTranscriptionLanguage": "meeting_live_transcription_language",
    "MeetingLiveTranscriptionStartTrigger": "meeting_live_transcription_start_trigger",
    "MeetingPage": "meeting_page",
    "MeetingRecording": "meeting_recording",
    "MeetingRecordingDestination": "meeting_recording_destination",
    "MeetingRecordingDestinationAuthenticationType": "meeting_recording_destination_authentication_type",
    "MeetingRecordingDestinationFileFormat": "meeting_recording_destination_file_format",
    "MeetingRecordingDestinationProvider": "meeting_recording_destination_provider",
    "MeetingRecordingStartTrigger": "meeting_recording_start_trigger",
    "MeetingRecordingType": "meeting_recording_type",
    "MeetingStreaming": "meeting_streaming",
    "MeetingStreamingDestination": "meeting_streaming_destination",
    "MeetingStreamingStartTrigger": "meeting_streaming_start_trigger",
    "ParticipantDetails": "participant_details",
    "ParticipantInsights": "participant_insights",
    "ParticipantInsightsPage": "participant_insights_page",
    "Recording": "recording",
    "RecordingPage": "recording_page",
    "RoomColors": "room_colors",
    "RoomInsights": "room_insights",
    "RoomInsightsPage": "room_insights_page",
    "RoomLogoTheme": "room_logo_theme",
    "RoomMode": "room_mode",
    "RoomNameFilter": "room_name_filter",
    "RoomNamePattern": "room_name_pattern",
    "RoomPalette": "room_palette",
    "RoomSessionInsights": "room_session_insights",
    "RoomSessionInsightsPage": "room_session_insights_page",
    "RoomTheme": "room_theme",
    "RoomTokens": "room_tokens",
    "RoomTokensPreset": "room_tokens_preset",
    "Summary": "summary",
    "SummaryPage": "summary_page",
    "SummaryTemplate": "summary_template",
    "TemplateType": "template_type",
    "ThrottleError": "throttle_error",
    "ThrottleErrorData": "throttle_error_data",
    "Transcription": "transcription",
    "TranscriptionPage": "transcription_page",
    "TranscriptionState": "transcription_state",
    "TranscriptionStorageType": "transcription_storage_type",
    "TranscriptionType": "transcription_type",
}

__all__ = [
    "AccessLink",
    "CreatedAtFilter",
    "CreatedSummary",
    "CreatedTranscription",
    "Meeting",
    "MeetingField",
    "MeetingLiveTranscription",
    "MeetingLiveTranscriptionDestination",
    "MeetingLiveTranscriptionDestinationAuthenticationType",
    "MeetingLiveTranscriptionDestinationProvider",
    "MeetingLiveTranscriptionLanguage",
    "MeetingLiveTranscriptionStartTrigger",
    "MeetingPage",
    "MeetingRecording",
    "MeetingRecordingDestination",
    "MeetingRecordingDestinationAuthenticationType",
    "MeetingRecordingDestinationFileFormat",
    "MeetingRecordingDestinationProvider",
    "MeetingRecordingStartTrigger",
    "MeetingRecordingType",
    "MeetingStreaming",
    "MeetingStreamingDestination",
    "MeetingStreamingStartTrigger",
    "ParticipantDetails",
    "ParticipantInsights",
    "ParticipantInsightsPage",
    "Recording",
    "RecordingPage",
    "RoomColors",
    "RoomInsights",
    "RoomInsightsPage",
    "RoomLogoTheme",
    "RoomMode",
    "RoomNameFilter",
    "RoomNamePattern",
    "RoomPalette",
    "RoomSessionInsights",
    "RoomSessionInsightsPage",
    "RoomTheme",
    "RoomTokens",
    "RoomTokensPreset",
    "Summary",
    "SummaryPage",
    "SummaryTemplate",
    "TemplateType",
    "ThrottleError",
    "ThrottleErrorData",
    "Transcription",
    "TranscriptionPage",
    "TranscriptionState",
    "TranscriptionStorageType",
    "TranscriptionType",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_MODULES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
