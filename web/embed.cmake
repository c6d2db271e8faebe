# Writes OUTPUT/web_files.S and OUTPUT/web_files.hpp: the files of FILES ("name=path", separated by '|'), compressed by GZIP.
string(REPLACE "|" ";" files "${FILES}")
set(assembly ".section .rodata\n")
set(declarations "")
set(entries "")
set(index 0)
foreach(file IN LISTS files)
  string(REGEX MATCH "^([^=]*)=(.*)$" _ "${file}")
  set(name ${CMAKE_MATCH_1})
  set(path ${CMAKE_MATCH_2})
  set(compressed ${OUTPUT}/${name}.gz)
  execute_process(COMMAND ${GZIP} -9nc ${path} OUTPUT_FILE ${compressed} COMMAND_ERROR_IS_FATAL ANY)
  file(SHA256 ${path} hash)
  string(SUBSTRING ${hash} 0 16 hash)
  set(symbol call_service_web_file_${index})
  string(APPEND assembly ".balign 16\n.hidden ${symbol}\n.global ${symbol}\n${symbol}:\n.incbin \"${compressed}\"\n"
                         ".hidden ${symbol}_end\n.global ${symbol}_end\n${symbol}_end:\n")
  string(APPEND declarations "extern \"C\" const char ${symbol}[];\nextern \"C\" const char ${symbol}_end[];\n")
  string(APPEND entries "    {\"${name}\", \"${hash}\", ${symbol}, ${symbol}_end},\n")
  math(EXPR index "${index} + 1")
endforeach()
file(WRITE ${OUTPUT}/web_files.S "${assembly}.section .note.GNU-stack,\"\",%progbits\n")
file(WRITE ${OUTPUT}/web_files.hpp "#pragma once

#include <string_view>

${declarations}
namespace call_service::api {

struct EmbeddedFile {
  std::string_view name;
  std::string_view hash;  // of its content
  const char* begin;      // gzip
  const char* end;
};

inline const EmbeddedFile embedded_files[] = {
${entries}};

}  // namespace call_service::api
")
