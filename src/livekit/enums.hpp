#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

// The numbers and names of LiveKit's enums (livekit/protocol, livekit_models.proto). The first is what an absent value
// means.
namespace call_service::livekit {

using EnumValue = std::pair<std::int64_t, std::string_view>;

inline constexpr std::array participant_states{
    EnumValue{0, "JOINING"},
    EnumValue{1, "JOINED"},
    EnumValue{2, "ACTIVE"},
    EnumValue{3, "DISCONNECTED"},
};

inline constexpr std::array participant_kinds{
    EnumValue{0, "STANDARD"}, EnumValue{1, "INGRESS"},   EnumValue{2, "EGRESS"}, EnumValue{3, "SIP"},
    EnumValue{4, "AGENT"},    EnumValue{7, "CONNECTOR"}, EnumValue{8, "BRIDGE"},
};

inline constexpr std::array disconnect_reasons{
    EnumValue{0, "UNKNOWN_REASON"},  EnumValue{1, "CLIENT_INITIATED"},    EnumValue{2, "DUPLICATE_IDENTITY"},
    EnumValue{3, "SERVER_SHUTDOWN"}, EnumValue{4, "PARTICIPANT_REMOVED"}, EnumValue{5, "ROOM_DELETED"},
    EnumValue{6, "STATE_MISMATCH"},  EnumValue{7, "JOIN_FAILURE"},        EnumValue{8, "MIGRATION"},
    EnumValue{9, "SIGNAL_CLOSE"},    EnumValue{10, "ROOM_CLOSED"},        EnumValue{11, "USER_UNAVAILABLE"},
    EnumValue{12, "USER_REJECTED"},  EnumValue{13, "SIP_TRUNK_FAILURE"},  EnumValue{14, "CONNECTION_TIMEOUT"},
    EnumValue{15, "MEDIA_FAILURE"},  EnumValue{16, "AGENT_ERROR"},
};

}  // namespace call_service::livekit
