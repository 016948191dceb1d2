"""Generated from openapi/whereby.patched.json by `make generate`: never edited by hand."""

from ..._runtime.model import OpenEnum


class SummaryTemplate(OpenEnum):
    """The template that the summary should be created from. The following summary templates are
    currently available:
    - `General Bulleted`
    - `General Narrative`
    - `SOAP`
    - `Extended SOAP`
    - `General Narrative`
    - `Educational Lecture`
    - `Educational Tutoring`
    """

    SOAP = "SOAP"
    EXTENDED_SOAP = "Extended SOAP"
    GENERAL_NARRATIVE = "General Narrative"
    GENERAL_BULLETED = "General Bulleted"
    EDUCATIONAL_LECTURE = "Educational Lecture"
    EDUCATIONAL_TUTORING = "Educational Tutoring"
