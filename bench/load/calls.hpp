#pragma once

#include <deque>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "workload.hpp"

namespace load {

// The text of a member of a JSON object, without unescaping; empty where there is none.
std::string_view member(std::string_view json, std::string_view name);

// One of 100,000 users.
class Users {
 public:
  std::string any() { return "user-" + std::to_string(number_(random_)); }

 private:
  std::mt19937_64 random_{std::random_device{}()};
  std::uniform_int_distribution<int> number_{1, 100'000};
};

// The same request for ever.
class Get : public Workload {
 public:
  Get(const Target& target, std::string_view path) : text_(write_request(target, "GET " + std::string(path))) {}
  std::optional<Request> next() override { return Request{text_}; }
  bool answered(std::uint64_t, int status, std::string_view) override { return status == 200; }

 private:
  std::string text_;
};

// Requests without a body, as `METHOD PATH`; over and over, or each once.
class Lines : public Workload {
 public:
  Lines(const Target& target, const std::vector<std::string>& lines, bool over_and_over);
  std::optional<Request> next() override;
  bool answered(std::uint64_t, int status, std::string_view) override { return status == 200; }

 private:
  std::vector<std::string> texts_;
  std::size_t at_ = 0;
  bool over_and_over_;
};

std::vector<std::string> read_lines(const std::string& file);

// POST /calls, and nothing else. `shed_is_fine`: 503 is an answer, too.
class Starts : public Workload {
 public:
  Starts(const Target& target, bool shed_is_fine) : target_(target), shed_is_fine_(shed_is_fine) {}
  std::optional<Request> next() override;
  bool answered(std::uint64_t, int status, std::string_view) override {
    return status == 201 || (shed_is_fine_ && status == 503);
  }

 private:
  Target target_;
  bool shed_is_fine_;
  Users users_;
};

// As mix.lua: for each call a start, the join of a second user, an end, and the same end again.
class Mix : public Workload {
 public:
  explicit Mix(const Target& target) : target_(target) {}
  std::optional<Request> next() override;
  bool answered(std::uint64_t step, int status, std::string_view body) override;

 private:
  Target target_;
  Users users_;
  std::deque<Request> waiting_;
};

}  // namespace load
