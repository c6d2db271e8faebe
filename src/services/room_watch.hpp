#pragma once

#include <boost/asio/steady_timer.hpp>

#include "base/task.hpp"
#include "database/repositories/room_creation_repository.hpp"
#include "livekit/contact.hpp"
#include "livekit/room_service_client.hpp"
#include "services/room_creator.hpp"

namespace call_service::services {

// Sees that LiveKit has the rooms of all calls in use: at the start, as soon as it listens again after it went away,
// and now and then. A browser gives up at the first 404, a tenth of a second after LiveKit is back, so its return is
// waited for on a connection of its own and not by asking. Runs on one io_context.
class RoomWatch {
 public:
  RoomWatch(Executor executor, http::Origin origin, repositories::RoomCreationRepository& creations,
            livekit::RoomServiceClient& livekit, RoomCreator& creator);

  // Until stop(). Never throws.
  Task<void> run();
  void stop();

 private:
  using Timer = boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                                  boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;

  // False: LiveKit or the database did not answer.
  Task<bool> create_missing();
  Task<void> pause(Milliseconds length);

  repositories::RoomCreationRepository& creations_;
  livekit::RoomServiceClient& livekit_;
  RoomCreator& creator_;
  livekit::Contact contact_;
  Timer timer_;
  bool stopping_ = false;
};

}  // namespace call_service::services
