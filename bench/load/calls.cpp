#include "calls.hpp"

#include <fstream>
#include <stdexcept>

namespace load {

namespace {

enum Step : std::uint64_t { start, join, end, end_again };

Request start_request(const Target& target, Users& users) {
  return {write_request(target, "POST /calls", R"({"caller_id":")" + users.any() + R"("})"), start};
}

}  // namespace

std::string write_request(const Target& target, std::string_view method_and_path, std::string_view body) {
  std::string text(method_and_path);
  text += " HTTP/1.1\r\nHost: bench\r\nX-API-Key: " + target.api_key;
  if (!body.empty()) text += "\r\nContent-Type: application/json";
  if (!method_and_path.starts_with("GET")) text += "\r\nContent-Length: " + std::to_string(body.size());
  text += "\r\n\r\n";
  text += body;
  return text;
}

std::string_view member(std::string_view json, std::string_view name) {
  const std::size_t found = json.find('"' + std::string(name) + "\":");
  if (found == std::string_view::npos) return {};
  const std::size_t open = json.find('"', found + name.size() + 3);
  if (open == std::string_view::npos) return {};
  return json.substr(open + 1, json.find('"', open + 1) - open - 1);
}

Lines::Lines(const Target& target, const std::vector<std::string>& lines, bool over_and_over)
    : over_and_over_(over_and_over) {
  for (const auto& line : lines) texts_.push_back(write_request(target, line));
}

std::optional<Request> Lines::next() {
  if (at_ == texts_.size()) {
    if (!over_and_over_) return std::nullopt;
    at_ = 0;
  }
  return Request{texts_[at_++]};
}

std::vector<std::string> read_lines(const std::string& file) {
  std::ifstream stream(file);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  if (lines.empty()) throw std::runtime_error(file + " has no lines");
  return lines;
}

std::optional<Request> Starts::next() {
  return start_request(target_, users_);
}

std::optional<Request> Mix::next() {
  if (waiting_.empty()) return start_request(target_, users_);
  Request request = std::move(waiting_.front());
  waiting_.pop_front();
  return request;
}

bool Mix::answered(std::uint64_t step, int status, std::string_view body) {
  const std::string call = "POST /calls/" + std::string(member(body, "call_id"));
  if (step == start) waiting_.push_back({write_request(target_, call + "/join/" + users_.any()), join});
  if (step == join) waiting_.push_back({write_request(target_, call + "/end"), end});
  if (step == end) waiting_.push_back({write_request(target_, call + "/end"), end_again});
  return status == (step == start ? 201 : 200);
}

}  // namespace load
