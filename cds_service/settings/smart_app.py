"""The SMART trend app of one EHR: what was agreed with its authorization server when the app was registered there."""

from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationInfo, field_validator

from cds_service.settings.network import is_loopback
from cds_service.settings.section import Content, SettingsSection
from cds_service.settings.value_types import HttpUrl, ReadableFile, Text, WebOrigin


class SmartAppSettings(SettingsSection):
    """The trend app, as it is registered with the authorization server of one EHR."""

    content: ClassVar[Content] = Content.OPERATIONS

    client_id: Text = Field(description="The `client_id` that the authorization server gave this app.")
    authentication: Literal["private_key_jwt", "client_secret_basic", "none"] = Field(
        "private_key_jwt",
        description="How the app proves who it is when it exchanges a code: by a signature, by a secret, or not at all "
        "(a public client).",
    )
    private_key_file: ReadableFile | None = Field(
        None,
        description="For private_key_jwt: JWK, JWK Set or PEM. The first key signs, all are published, so keys rotate.",
    )
    client_secret_file: ReadableFile | None = Field(None, description="For client_secret_basic: the secret alone.")
    fhir_server: HttpUrl | None = Field(
        None, description="The one of `fhir_servers` that launches come from; null where only one is listed."
    )
    id_token_issuer: Text | None = Field(
        None, description="The `iss` of its id_tokens, character by character; null: the issuer that discovery names."
    )
    scope_syntax: Literal["v1", "v2"] = Field(
        "v2", description='Scopes as SMART 2 writes them (".rs"), or as SMART 1 did (".read").'
    )
    frame_ancestors: tuple[WebOrigin, ...] = Field(
        (), description="Origins of the EHR pages that may show the app in a frame; empty: none, it opens on its own."
    )
    earlier_decisions_days: Annotated[int, Field(ge=0, le=3_650)] = Field(
        365, description="How far back the page looks for earlier decisions about the patient; 0: it does not."
    )

    @field_validator("frame_ancestors")
    @classmethod
    def _are_secure(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            parts = urlsplit(origin)
            if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
                raise ValueError(f"{origin}: http is accepted on loopback only; use https")
        return value

    @field_validator("client_secret_file")
    @classmethod
    def _one_proof(cls, value: Any, info: ValidationInfo) -> Any:
        if value is not None and info.data.get("private_key_file") is not None:
            raise ValueError("private_key_file is set too; keep the one that `authentication` needs")
        return value
