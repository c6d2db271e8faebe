"""Bodies of requests and answers, and the LiveKit token."""

import os
import time
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import jwt
from pydantic import BaseModel, ConfigDict, StringConstraints

from models import CallSession

UserId = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^\S(.*\S)?$")]

KEY = os.environ["LIVEKIT_API_KEY"]
SECRET = os.environ["LIVEKIT_API_SECRET"]
URL = os.environ["LIVEKIT_URL"]


class StartRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")
    caller_id: UserId
    name: str | None = None


class CallOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    call_id: UUID
    caller_id: str
    room_name: str
    status: str
    started_at: datetime
    ended_at: datetime | None
    end_reason: str | None
    ended_by: str | None
    ended_by_type: str | None
    user_ids: list[str] | None = None
    max_participants: int | None
    metadata: dict[str, Any] | None = None
    participant_count: int
    room_deletion: str | None

    @classmethod
    def model_validate(cls, call: Any) -> "CallOut":
        # `metadata` of a declarative class is SQLAlchemy's own.
        names = set(cls.model_fields) - {"metadata", "user_ids"}
        return cls(**{name: getattr(call, name) for name in names})


class Ticket(BaseModel):
    livekit_token: str
    livekit_token_expires_at: datetime
    livekit_url: str


class Started(CallOut, Ticket):
    session_id: UUID


class Joined(Ticket):
    call_id: UUID
    session_id: UUID
    user_id: str
    room_name: str


def new_id() -> UUID:
    """A UUIDv7: the standard library has none before Python 3.14."""
    value = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10))
    return UUID(int=value & ~(0xF << 76) & ~(0x3 << 62) | 0x7 << 76 | 0x2 << 62)


def ticket(session: CallSession) -> dict[str, Any]:
    claims = {
        "iss": KEY,
        "sub": session.user_id,
        "nbf": int(session.created_at.timestamp()),
        "exp": int(session.token_expires_at.timestamp()),
        "name": session.name,
        "attributes": {"call_id": str(session.call_id), "session_id": str(session.session_id)},
        "video": {
            "room": f"call_{session.call_id}",
            "roomJoin": True,
            "canPublish": True,
            "canSubscribe": True,
            "canPublishData": True,
        },
        "roomConfig": {"departureTimeout": 60, "emptyTimeout": 1560},
    }
    return {
        "livekit_token": jwt.encode(claims, SECRET, algorithm="HS256"),
        "livekit_token_expires_at": session.token_expires_at,
        "livekit_url": URL,
    }
