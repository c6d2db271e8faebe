# Writes OUTPUT, a header with the text of every migration in DIRECTORY, in the order of their names.
cmake_minimum_required(VERSION 3.25)
file(GLOB files ${DIRECTORY}/[0-9]*_*.sql)
list(SORT files)
set(entries "")
set(revisions "")
foreach(file IN LISTS files)
  file(READ ${file} text)
  get_filename_component(name ${file} NAME_WE)
  string(REGEX MATCH "^[0-9]+" revision ${name})
  if(revision IN_LIST revisions)
    message(FATAL_ERROR "Two migrations have revision ${revision}; ${name} is one of them.")
  endif()
  list(APPEND revisions ${revision})
  string(APPEND entries "    {\"${name}\", R\"migration(${text})migration\"},\n")
endforeach()
file(WRITE ${OUTPUT} "#pragma once

#include <string_view>
#include <utility>

namespace call_service::db {

inline constexpr std::pair<std::string_view, std::string_view> migration_files[] = {
${entries}};

}  // namespace call_service::db
")
