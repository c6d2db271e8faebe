#pragma once

#include "api/operation.hpp"

// The prose of the API's document, an entry for each row of the route table.
namespace call_service::api::operations {

using enum ErrorCode;

inline constexpr Operation start_call{
    .id = "startCall",
    .tag = "Calls",
    .summary = "Start a call",
    .description =
        "Starts a call and gives the caller a session and a LiveKit token.\n\n"
        "With a `call_id` of your own it is safe to repeat: the same caller gets the same call again while it is "
        "active, with a fresh token, and the other members are ignored. Without `user_ids` whoever is authenticated "
        "and "
        "knows the id may join; with `user_ids` only the caller and these users, and whoever a service key has "
        "joined.\n\n"
        "A service key has to name the `caller_id`. A user token may leave it out, and may not name another user.",
    .ok = "The caller had started this call before, and it is active: the same call, a fresh token.",
    .created = "The call is started.",
    .hands_out_token = true,
    .errors = {forbidden, call_id_taken, call_ended},
};

inline constexpr Operation get_call{
    .id = "getCall",
    .tag = "Calls",
    .summary = "Read a call and its sessions",
    .description =
        "The call and its first 200 sessions, oldest first; `GET /calls/{call_id}/sessions` goes on with "
        "`sessions_next_cursor`.\n\nA user token may read calls that its user started, has a session in, or is "
        "listed in.",
    .ok = "The call.",
    .errors = {forbidden, call_not_found},
};

inline constexpr Operation list_calls{
    .id = "listCalls",
    .tag = "Calls",
    .summary = "List calls",
    .description =
        "Calls, newest first. A user token sees the calls that its user started, has a session in, or is listed "
        "in; a filter that names another user narrows that.",
    .ok = "A page of the list.",
};

inline constexpr Operation list_sessions{
    .id = "listSessions",
    .tag = "Calls",
    .summary = "List the sessions of a call",
    .description = "Sessions, oldest first. Who may read the call may read them.",
    .ok = "A page of the list.",
    .errors = {forbidden, call_not_found},
};

inline constexpr Operation list_timeline{
    .id = "listTimeline",
    .tag = "Calls",
    .summary = "Read what happened in a call",
    .description = "Every change of the call and its sessions, each once, in the order in which they were applied.",
    .ok = "A page of the list.",
    .errors = {forbidden, call_not_found},
};

inline constexpr Operation join_call{
    .id = "joinCall",
    .tag = "Calls",
    .summary = "Join a call",
    .description =
        "Gives a user a session and a LiveKit token. While the user has not connected yet it is the same session "
        "again, "
        "so a retry is harmless, and this is the way to a fresh token. The session becomes active when its connection "
        "arrives, which ends the user's older connection.\n\nA user token joins its own user only.",
    .ok = "The user may connect.",
    .hands_out_token = true,
    .errors = {forbidden, call_not_found, call_ended, call_full},
};

inline constexpr Operation leave_call{
    .id = "leaveCall",
    .tag = "Calls",
    .summary = "Leave a call",
    .description =
        "Ends the user's open sessions, or only the one that is named, and removes the connection from the "
        "room in the background.\n\nA user token leaves for its own user only.",
    .ok = "The session that was active, else the pending one, else the newest, unchanged.",
    .errors = {forbidden, call_not_found, session_not_found},
};

inline constexpr Operation end_call{
    .id = "endCall",
    .tag = "Calls",
    .summary = "End a call for all",
    .description =
        "Ends the call and all its sessions at one instant; the room is deleted in the background. Safe to "
        "repeat: whoever asks later gets the same answer.\n\nA user token: the caller only. A service key may "
        "name the user on whose behalf it ends.",
    .ok = "The call, ended.",
    .errors = {forbidden, call_not_found},
};

inline constexpr Operation get_user{
    .id = "getUser",
    .tag = "Users",
    .summary = "Read where a user is now",
    .description = "The user and its active sessions. A user token: only its own user.",
    .ok = "The user.",
    .errors = {forbidden, user_not_found},
};

inline constexpr Operation receive_livekit_webhook{
    .id = "receiveLivekitWebhook",
    .tag = "LiveKit",
    .summary = "Receive an event of LiveKit",
    .description = "Put this URL into LiveKit's `webhook.urls`. LiveKit signs each event; nobody else can use this.",
    .ok = "The event is stored; whatever it changes is committed.",
};

inline constexpr Operation get_health{
    .id = "getHealth",
    .tag = "Operation",
    .summary = "Does the process serve?",
    .description = "Answers as long as the process serves, whatever the state of what it depends on.",
    .ok = "It does.",
};

inline constexpr Operation get_readiness{
    .id = "getReadiness",
    .tag = "Operation",
    .summary = "Can it do its work?",
    .description =
        "Looks at the database and its schema. LiveKit and its webhooks are shown, but do not make it 503: "
        "calls can be started and ended without them.",
    .ok = "Ready.",
    .not_ready = "Not ready: `checks` tells why.",
};

inline constexpr Operation get_metrics{
    .id = "getMetrics",
    .tag = "Operation",
    .summary = "Metrics for Prometheus",
    .description = "Needs a service key. `METRICS_PORT` serves the same on a port of its own, without a key.",
    .ok = "Prometheus' text format.",
    .content_type = "text/plain",
    .errors = {forbidden},
};

}  // namespace call_service::api::operations
