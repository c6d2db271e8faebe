"""The tables, as the migrations of call-service make them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, FetchedValue
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    type_annotation_map = {datetime: DateTime(timezone=True)}


class User(Base):
    __tablename__ = "users"
    user_id: Mapped[str] = mapped_column(primary_key=True)
    created_at: Mapped[datetime]


class Call(Base):
    __tablename__ = "calls"
    call_id: Mapped[UUID] = mapped_column(primary_key=True)
    caller_id: Mapped[str] = mapped_column(ForeignKey("users.user_id"))
    status: Mapped[str]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None]
    ended_by: Mapped[str | None]
    ended_by_type: Mapped[str | None]
    max_participants: Mapped[int | None]
    participant_count: Mapped[int] = mapped_column(server_default=FetchedValue())
    room_deletion: Mapped[str | None]
    version: Mapped[int] = mapped_column(server_default=FetchedValue())
    token_issued_at: Mapped[datetime | None]

    @property
    def room_name(self) -> str:
        return f"call_{self.call_id}"


class CallSession(Base):
    __tablename__ = "sessions"
    session_id: Mapped[UUID] = mapped_column(primary_key=True)
    call_id: Mapped[UUID] = mapped_column(ForeignKey("calls.call_id"))
    user_id: Mapped[str] = mapped_column(ForeignKey("users.user_id"))
    name: Mapped[str]
    status: Mapped[str]
    created_at: Mapped[datetime]
    left_at: Mapped[datetime | None]
    end_reason: Mapped[str | None]
    end_evidence: Mapped[str | None]
    token_expires_at: Mapped[datetime | None]


class TimelineEntry(Base):
    __tablename__ = "timeline"
    call_id: Mapped[UUID] = mapped_column(ForeignKey("calls.call_id"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    type: Mapped[str]
    cause: Mapped[str]
    actor: Mapped[str | None]
    actor_type: Mapped[str | None]
    session_id: Mapped[UUID | None]


class OutboxEntry(Base):
    __tablename__ = "outbox"
    intent_id: Mapped[UUID] = mapped_column(primary_key=True)
    call_id: Mapped[UUID] = mapped_column(ForeignKey("calls.call_id"))
    kind: Mapped[str]
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
