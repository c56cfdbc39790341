"""Operations content of the configuration: where the service listens, whom it trusts, where it writes.

Hospital IT approves these sections. Keys named in `restart_keys` take effect at the next start; all others change in
place on reload.
"""

from pathlib import Path
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field, ValidationInfo, field_validator

from cds_service.cards.wording import Language
from cds_service.settings.section import Content, SettingsSection
from cds_service.settings.smart_app import SmartAppSettings
from cds_service.settings.value_types import (
    Algorithm,
    HttpUrl,
    IPAddressOrNetwork,
    ListenHost,
    LocalPath,
    Mode,
    ReadableFile,
    SecureLocation,
    SecureUrl,
    StateUrl,
    Text,
    Timeout,
    TimeZone,
    WebOrigin,
)

EXAMPLE_PUBLIC_URL = "https://cds.hospital.example"
# Stands in the file of `config init` where the addresses of an EHR belong.
FILL_IN_HOST = "fill-in.example"

# Clocks that differ by more are broken, and a used token has to be remembered for so long.
LARGEST_LEEWAY_SECONDS: Final = 300


class OperationsSection(SettingsSection):
    """A section that hospital IT approves."""

    content: ClassVar[Content] = Content.OPERATIONS


class ServiceSettings(OperationsSection):
    """What the service is to the outside."""

    public_url: SecureUrl = Field(
        EXAMPLE_PUBLIC_URL,
        description="Address under which EHRs reach this service. It gives the accepted `aud` of their tokens and "
        "every link. https, or http on loopback.",
    )
    mode: Mode = Field(
        "active", description='"active": cards are shown. "silent": decisions are recorded, no card is shown.'
    )
    language: Language = Field("en", description="Language of cards and trend app: en, or zh-Hans.")
    accept_unreviewed_language: bool = Field(
        False,
        description="true shows cards in a language whose texts no clinician has reviewed yet (zh-Hans); silent mode "
        "needs no such consent.",
    )
    timezone: TimeZone = Field(
        "UTC",
        description="IANA time zone in which days are counted, and the zone of times that name none. It decides on "
        "which day a blood draw falls.",
    )


class ServerSettings(OperationsSection):
    """Where the service listens, and its limits."""

    restart_keys: ClassVar[tuple[str, ...]] = ("host", "port", "workers", "threads", "max_request_bytes")

    host: ListenHost = Field("127.0.0.1", description="IP address or host name to listen on.")
    port: Annotated[int, Field(ge=0, le=65535)] = Field(
        8080, description="TCP port to listen on; 0 takes a free one and prints it."
    )
    workers: Annotated[int, Field(ge=1, le=64)] = Field(2, description="Worker processes; one for each core.")
    threads: Annotated[int, Field(ge=1, le=256)] = Field(
        16, description="Threads in each worker: workers x threads hooks are answered at once."
    )
    max_request_bytes: Annotated[int, Field(ge=1024, le=268_435_456)] = Field(
        10_485_760, description="Largest accepted request body; larger ones get 413."
    )
    hook_deadline_seconds: Timeout = Field(2.0, description="Time for one hook, FHIR requests included.")
    trusted_proxies: tuple[IPAddressOrNetwork, ...] = Field(
        (),
        description="Addresses or networks (10.0.0.0/8) of proxies in front whose X-Forwarded-For names the caller, "
        "for the limit on failed attempts and for the log; from all others that header is ignored.",
    )


class AuthenticationSettings(OperationsSection):
    """How EHRs prove who they are (CDS Hooks client JWT)."""

    required: bool = Field(
        True, description="Refuse calls without a valid token. false is accepted only while server.host is loopback."
    )
    leeway_seconds: Annotated[int, Field(ge=0, le=LARGEST_LEEWAY_SECONDS)] = Field(
        60, description="Tolerated difference between the clocks of the EHR and of this service."
    )
    max_lifetime_seconds: Annotated[int, Field(ge=1, le=3600)] = Field(
        900, description="Longest accepted lifetime of a token, from iat to exp."
    )


class ClientSettings(OperationsSection):
    """One EHR that may call this service."""

    name: Text = Field(description="Name of this EHR in logs, metrics and audit records.", examples=["main-ehr"])
    issuer: Text = Field(
        description="The `iss` of its tokens, character by character.", examples=["https://ehr.hospital.example"]
    )
    jwks_file: ReadableFile | None = Field(
        None, description="File with its public keys (JWK Set); or jwks_url.", examples=["ehr-jwks.json"]
    )
    jwks_url: SecureLocation | None = Field(
        None, description="Address of its public keys (JWK Set), https; or jwks_file."
    )
    algorithms: Annotated[tuple[Algorithm, ...], Field(min_length=1)] = Field(
        ("ES384", "RS384"), description="Accepted signature algorithms."
    )
    audiences: tuple[Text, ...] = Field(
        (), description="Values of `aud` accepted besides the public URL of the endpoint called."
    )
    tenants: tuple[Text, ...] = Field((), description="Accepted values of `tenant`; empty: any or none.")
    fhir_servers: tuple[HttpUrl, ...] = Field(
        (),
        description="FHIR servers that data may be fetched from; https, or http on loopback and on hosts of "
        "acquisition.allow_http_hosts.",
        examples=[["https://ehr.hospital.example/fhir/r4"]],
    )
    mode: Mode | None = Field(None, description="active or silent for this EHR alone; null: service.mode stands.")
    language: Language | None = Field(
        None, description="Language of the cards for this EHR alone; null: service.language stands."
    )
    jku: tuple[SecureLocation, ...] = Field(
        (),
        description="With jwks_file: the addresses of key sets that its tokens may name in `jku`; empty: any, ignored. "
        "No address is asked because a token names it.",
    )
    open_fhir_server: bool = Field(
        False, description="Fetch without a token when the EHR sends none. Test systems only."
    )
    smart_app: SmartAppSettings | None = Field(
        None,
        description="The SMART trend app as it is registered with this EHR, such as {client_id: sii-trend, "
        "private_key_file: app-key.json}; null: none. docs/smart-app.md tells every key.",
    )

    @field_validator("jwks_url")
    @classmethod
    def _one_key_source(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None and info.data.get("jwks_file") is not None:
            raise ValueError("jwks_file is set too; keep one of the two")
        return value

    @field_validator("jku")
    @classmethod
    def _beside_a_file_only(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if value and info.data.get("jwks_url") is not None:
            raise ValueError("jwks_url is set, and is the one jku that tokens may name; leave jku out")
        return value


class AcquisitionSettings(OperationsSection):
    """How data that the EHR did not prefetch are fetched."""

    strategy: Literal["staged", "parallel"] = Field(
        "staged",
        description='"staged": blood counts are fetched for eligible patients only. "parallel": all at once.',
    )
    connect_timeout_seconds: Timeout = Field(0.5, description="Time for connecting to a FHIR server.")
    max_pages: Annotated[int, Field(ge=1, le=1000)] = Field(10, description="Most pages read of one search.")
    max_entries: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        5_000, description="Most entries read of one search, all pages together: four years of daily blood counts."
    )
    max_response_bytes: Annotated[int, Field(ge=1024, le=1_073_741_824)] = Field(
        20_971_520, description="Most bytes read of one search, all pages together."
    )
    allow_http_hosts: tuple[ListenHost, ...] = Field(
        (),
        description="Hosts whose FHIR servers may be asked over http, without encryption: inside a Compose network, in "
        "trials. Never with patients.",
        examples=[["fhir"]],
    )
    ca_file: ReadableFile | None = Field(
        None, description="Certificates (PEM) of the authorities that FHIR and key servers are checked with."
    )
    proxy: HttpUrl | None = Field(None, description="HTTP proxy for outgoing requests, without a password.")


class AuditSettings(OperationsSection):
    """The record of every decision."""

    restart_keys: ClassVar[tuple[str, ...]] = ("directory", "hmac_key_file", "rotate_bytes", "retention_days")

    directory: LocalPath = Field(Path("audit"), description="Directory of the audit files.")
    values: bool = Field(True, description="Keep the laboratory values, so that decisions can be recomputed.")
    feedback_comments: bool = Field(
        False, description="Keep the comment that a user writes when overriding a card: free text, it may name anybody."
    )
    on_failure: Literal["refuse", "continue"] = Field(
        "refuse",
        description='When a record cannot be written: "refuse" answers 503, "continue" answers without a record.',
    )
    hmac_key_file: ReadableFile | None = Field(
        None, description="Key of the chain; without one the chain is SHA-256 and proves less."
    )
    pseudonymize_patient: bool = Field(
        False, description="Store an HMAC of the patient id instead of the id; needs hmac_key_file."
    )
    rotate_bytes: Annotated[int, Field(ge=1, le=1_099_511_627_776)] = Field(
        268_435_456, description="Size at which a new audit file is begun."
    )
    retention_days: Annotated[int, Field(ge=1, le=36_500)] = Field(2200, description="How long audit files are kept.")


class StateSettings(OperationsSection):
    """What the workers know in common: tokens already used, head of the audit chain."""

    restart_keys: ClassVar[tuple[str, ...]] = ("url",)

    url: StateUrl = Field(
        "sqlite:///state.db",
        description="Database: sqlite:///FILE on a local disk for one host, postgresql://HOST/DATABASE for several.",
    )


class CorsSettings(OperationsSection):
    """Web pages that may call the service from a browser."""

    origins: tuple[WebOrigin, ...] = Field(
        (), description="Allowed origins; none for EHRs that call from their server."
    )
