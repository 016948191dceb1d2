"""Generated from openapi/whereby.patched.json by `make generate`: never edited by hand."""

from ..._runtime.model import OpenEnum


class MeetingLiveTranscriptionLanguage(OpenEnum):
    """What language should be used for the Session Transcription.
    - `null` - The value should be taken from the organization settings
    """

    CA = "ca"
    ZH = "zh"
    ZH_TW = "zh-TW"
    CS = "cs"
    DA = "da"
    NL = "nl"
    EN = "en"
    EN_US = "en-US"
    EN_GB = "en-GB"
    FI = "fi"
    FR = "fr"
    DE = "de"
    DE_CH = "de-CH"
    EL = "el"
    HI = "hi"
    ID = "id"
    IT = "it"
    JA = "ja"
    KO = "ko"
    LV = "lv"
    MS = "ms"
    NO = "no"
    PL = "pl"
    PT = "pt"
    PT_BR = "pt-BR"
    RO = "ro"
    RU = "ru"
    SK = "sk"
    ES = "es"
    SV = "sv"
    TH = "th"
    UK = "uk"
    VI = "vi"
