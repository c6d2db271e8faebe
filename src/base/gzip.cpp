#include "base/gzip.hpp"

#define ZLIB_CONST  // input is const
#include <zlib.h>

#include <array>
#include <memory>
#include <stdexcept>

namespace call_service {

std::string gunzip(std::string_view packed) {
  constexpr int gzip_only = 16 + MAX_WBITS;
  z_stream stream{};
  if (inflateInit2(&stream, gzip_only) != Z_OK) throw std::runtime_error("zlib cannot begin to inflate");
  const std::unique_ptr<z_stream, decltype(&inflateEnd)> owner(&stream, inflateEnd);
  stream.next_in = reinterpret_cast<const Bytef*>(packed.data());
  stream.avail_in = static_cast<uInt>(packed.size());
  std::string unpacked;
  std::array<char, 64 * 1024> part{};
  int status = Z_OK;
  while (status == Z_OK) {
    stream.next_out = reinterpret_cast<Bytef*>(part.data());
    stream.avail_out = static_cast<uInt>(part.size());
    status = inflate(&stream, Z_NO_FLUSH);
    unpacked.append(part.data(), part.size() - stream.avail_out);
  }
  if (status != Z_STREAM_END) throw std::runtime_error("not gzip, or cut off");
  return unpacked;
}

}  // namespace call_service
