"""The same service as FastAPI developers write it: async endpoints, SQLAlchemy's ORM over psycopg, a transaction a request."""

import hmac
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Depends, FastAPI, Header, HTTPException, Path, Response
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from models import Base, Call, CallSession, OutboxEntry, TimelineEntry, User
from schemas import CallOut, Joined, Started, StartRequest, UserId, new_id, ticket

assert Base.metadata.tables  # declared, made by the migrations of the service that this one is compared with

ACTOR = "backend"
API_KEY = os.environ["API_KEY"].encode()

engine = create_async_engine(
    os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://"), pool_size=16, max_overflow=0
)
new_session = async_sessionmaker(engine, expire_on_commit=False)


async def database() -> AsyncIterator[AsyncSession]:
    async with new_session() as session:
        yield session


async def authorize(x_api_key: Annotated[str, Header()] = "") -> None:
    if not hmac.compare_digest(x_api_key.encode(), API_KEY):
        raise HTTPException(401, "unauthorized")


Database = Annotated[AsyncSession, Depends(database)]
app = FastAPI()
protected = [Depends(authorize)]


def now() -> datetime:
    at = datetime.now(UTC)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def entry(call_id: UUID, seq: int, at: datetime, kind: str, session_id: UUID | None = None) -> TimelineEntry:
    return TimelineEntry(
        call_id=call_id, seq=seq, at=at, type=kind, cause="api", actor=ACTOR, actor_type="service", session_id=session_id
    )


async def ensure_user(db: AsyncSession, user_id: str, at: datetime) -> None:
    await db.execute(insert(User).values(user_id=user_id, created_at=at).on_conflict_do_nothing())


async def last_seq(db: AsyncSession, call_id: UUID) -> int:
    return await db.scalar(select(func.max(TimelineEntry.seq)).where(TimelineEntry.call_id == call_id)) or 0


def new_call_session(call_id: UUID, user_id: str, name: str | None, at: datetime) -> CallSession:
    return CallSession(
        session_id=new_id(),
        call_id=call_id,
        user_id=user_id,
        name=name or user_id,
        status="pending",
        created_at=at,
        token_expires_at=at + timedelta(minutes=10),
    )


async def locked_call(db: AsyncSession, call_id: UUID) -> Call:
    call = await db.get(Call, call_id, with_for_update=True)
    if call is None:
        raise HTTPException(404, "call_not_found")
    return call


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "ok"}


@app.post("/calls", status_code=201, dependencies=protected)
async def start(request: StartRequest, response: Response, db: Database) -> Started:
    at = now()
    await ensure_user(db, request.caller_id, at)
    call = Call(call_id=new_id(), caller_id=request.caller_id, status="active", started_at=at, token_issued_at=at)
    call.participant_count = 0
    call.version = 0
    session = new_call_session(call.call_id, request.caller_id, request.name, at)
    db.add(call)
    await db.flush()
    db.add(session)
    db.add(entry(call.call_id, 1, at, "call.started"))
    db.add(entry(call.call_id, 2, at, "session.created", session.session_id))
    await db.commit()
    response.headers["Location"] = f"/calls/{call.call_id}"
    return Started(**CallOut.model_validate(call).model_dump(), session_id=session.session_id, **ticket(session))


@app.post("/calls/{call_id}/join/{user_id}", dependencies=protected)
async def join(call_id: UUID, user_id: Annotated[UserId, Path()], db: Database) -> Joined:
    at = now()
    call = await locked_call(db, call_id)
    if call.status != "active":
        raise HTTPException(409, "call_ended")
    pending = select(CallSession).where(
        CallSession.call_id == call_id, CallSession.user_id == user_id, CallSession.status == "pending"
    )
    session = await db.scalar(pending)
    if session is None:
        await ensure_user(db, user_id, at)
        session = new_call_session(call_id, user_id, None, at)
        db.add(session)
        db.add(entry(call_id, await last_seq(db, call_id) + 1, at, "session.created", session.session_id))
        call.version += 1
        call.token_issued_at = at
    else:
        session.token_expires_at = at + timedelta(minutes=10)
    await db.commit()
    return Joined(
        call_id=call_id,
        session_id=session.session_id,
        user_id=user_id,
        room_name=f"call_{call_id}",
        **ticket(session),
    )


@app.post("/calls/{call_id}/end", dependencies=protected)
async def end(call_id: UUID, db: Database) -> CallOut:
    at = now()
    call = await locked_call(db, call_id)
    if call.status == "active":
        await end_now(db, call, max(at, call.started_at))
        await db.commit()
    return CallOut.model_validate(call)


async def end_now(db: AsyncSession, call: Call, at: datetime) -> None:
    call.status, call.ended_at, call.end_reason = "ended", at, "ended"
    call.ended_by, call.ended_by_type, call.room_deletion = ACTOR, "service", "pending"
    call.participant_count = 0
    call.version += 1
    seq = await last_seq(db, call.call_id) + 1
    db.add(entry(call.call_id, seq, at, "call.ended"))
    open_sessions = select(CallSession).where(CallSession.call_id == call.call_id, CallSession.status != "ended")
    for session in await db.scalars(open_sessions.order_by(CallSession.created_at, CallSession.session_id)):
        session.status, session.left_at, session.end_reason, session.end_evidence = "ended", at, "call_ended", "api"
        seq += 1
        db.add(entry(call.call_id, seq, at, "session.left", session.session_id))
    db.add(entry(call.call_id, seq + 1, at, "room.deletion_requested"))
    db.add(OutboxEntry(intent_id=new_id(), call_id=call.call_id, kind="delete_room", created_at=at, due_at=at))
