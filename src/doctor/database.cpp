#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <string_view>

#include "database/engine.hpp"
#include "database/errors.hpp"
#include "database/models/call.hpp"
#include "database/models/intent.hpp"
#include "database/models/session.hpp"
#include "database/models/user.hpp"
#include "database/models/webhook_event.hpp"
#include "doctor/checks.hpp"

namespace call_service::doctor {

namespace {

using db::Row;
using db::Rows;
using db::Statement;
using db::Type;

const std::string area = "database";
constexpr std::int64_t oldest_version = 130'000;  // older ones get no security updates any more

// What PostgreSQL and libpq say, and what to do about it. The first that fits counts.
struct Hint {
  std::string_view says;
  std::string_view remedy;
};

constexpr std::array hints{
    Hint{"could not translate host name",
         "The host in DATABASE_URL is not known here: correct it, or the name service."},
    Hint{"Connection refused", "Start PostgreSQL there, or correct host and port in DATABASE_URL."},
    Hint{"timeout expired", "Correct host and port in DATABASE_URL, or open the firewall in between."},
    Hint{"did not answer", "Look whether PostgreSQL is overloaded, or another program listens there."},
    Hint{"password authentication failed",
         "Correct user and password in DATABASE_URL (percent-encoded), or set the "
         "password in the database: ALTER ROLE … PASSWORD '…'."},
    Hint{"no password supplied", "Put the password into DATABASE_URL: postgresql://user:password@host/name."},
    Hint{"no pg_hba.conf entry",
         "Allow this machine in the server's pg_hba.conf, or add ?sslmode=require to "
         "DATABASE_URL if the server wants TLS."},
    Hint{"certificate",
         "Name the authority that signed the server's certificate: ?sslrootcert=/path/ca.pem in "
         "DATABASE_URL."},
    Hint{"SSL", "Set ?sslmode=… in DATABASE_URL as the server wants it."},
    Hint{"hot standby", "This is a standby: name the primary in DATABASE_URL, or all hosts of the cluster."},
    Hint{"read-only", "This is a standby: name the primary in DATABASE_URL, or all hosts of the cluster."},
    Hint{"too many", "Raise max_connections of the server; each process of the service takes 5 connections."},
    Hint{"role \"", "Make the role: CREATE ROLE … LOGIN PASSWORD '…'; or correct the user in DATABASE_URL."},
    Hint{"database \"", "Make the database: CREATE DATABASE … OWNER …; or correct its name in DATABASE_URL."},
};

// The first sentence of libpq's message, in one line.
std::string first_of(std::string text) {
  text.erase(std::min(text.find("Is the server running"), text.size()));
  std::ranges::replace_if(text, [](char c) { return c == '\n' || c == '\t'; }, ' ');
  text.erase(text.find_last_not_of(" ?.") + 1);
  return text;
}

std::string remedy_for(std::string_view message) {
  for (const Hint& hint : hints) {
    if (message.contains(hint.says)) return std::string(hint.remedy);
  }
  return "Correct DATABASE_URL.";
}

Findings problem(std::string what, std::string remedy) {
  return {{Level::problem, area, std::move(what), std::move(remedy)}};
}

const Statement& describe_server() {
  static const Statement statement{
      .name = "describe_server",
      .input = {},
      .sql =
          "SELECT current_setting('server_version'), current_setting('server_version_num')::bigint, "
          "current_database()::text, current_user::text, clock_timestamp()",
      .output = {Type::text, Type::integer, Type::text, Type::text, Type::timestamp}};
  return statement;
}

// Whether the schema is there, may be used, and may get tables; whether a missing one may be made.
const Statement& read_schema_rights() {
  static const Statement statement{
      .name = "read_schema_rights",
      .input = {{"schema_name", Type::text}},
      .sql =
          "SELECT n.oid IS NOT NULL, coalesce(has_schema_privilege(n.oid, 'USAGE'), false), "
          "coalesce(has_schema_privilege(n.oid, 'CREATE'), false), "
          "has_database_privilege(current_database(), 'CREATE') "
          "FROM input i LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = i.schema_name",
      .output = {Type::boolean, Type::boolean, Type::boolean, Type::boolean}};
  return statement;
}

const Statement& find_forbidden_tables() {
  static const Statement statement{
      .name = "find_forbidden_tables",
      .input = {{"schema_name", Type::text}, {"table_name", Type::text}},
      .sql =
          "SELECT c.relname::text FROM input i "
          "JOIN pg_catalog.pg_namespace n ON n.nspname = i.schema_name "
          "JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = i.table_name "
          "WHERE NOT (has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT') "
          "AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE'))",
      .output = {Type::text}};
  return statement;
}

Findings check_rights(db::Connection& connection, const std::string& schema, const std::string& role) {
  const Rows rights = connection.query(read_schema_rights(), {{schema}});
  const auto may = [&](std::size_t column) { return std::get<bool>(rights.at(0).at(column)); };
  const std::string quoted = db::quote_identifier(schema);
  const std::string to_role = " TO " + db::quote_identifier(role) + ";";
  if (!may(0)) {
    if (may(3)) return {};
    return problem("there is no schema " + schema + ", and the role " + role + " may not make it",
                   "Run as its owner: CREATE SCHEMA " + quoted + " AUTHORIZATION " + db::quote_identifier(role) + ";");
  }
  if (!may(1) || !may(2)) {
    return problem("the role " + role + " may not make tables in the schema " + schema,
                   "Run as its owner: GRANT USAGE, CREATE ON SCHEMA " + quoted + to_role);
  }
  Rows tables;
  for (const std::string_view table : {models::User::table, models::Call::table, models::Session::table,
                                       models::WebhookEvent::table, models::Intent::table}) {
    tables.push_back({schema, std::string(table)});
  }
  std::string forbidden;
  for (const Row& row : connection.query(find_forbidden_tables(), tables)) {
    forbidden += (forbidden.empty() ? "" : ", ") + std::get<std::string>(row[0]);
  }
  if (forbidden.empty()) return {};
  return problem(
      "the role " + role + " may not read and write: " + forbidden,
      "Run as their owner: GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA " + quoted + to_role);
}

std::string folder_of(const std::string& path) {
  const auto folder = std::filesystem::path(path).parent_path();
  return folder.empty() ? "." : folder.string();
}

}  // namespace

Findings check_postgresql(const std::string& url, const std::string& schema) {
  const auto connection = db::open_database(url, schema).connect(db::ConnectionRole::write);
  try {
    connection->open();
  } catch (const db::Unavailable& error) {
    return problem(first_of(error.what()), remedy_for(error.what()));
  }
  const SystemClock clock;
  const auto before = clock.now();
  const Row server = connection->query(describe_server(), {}).at(0);
  const auto here = before + (clock.now() - before) / 2;
  const std::string& role = std::get<std::string>(server[3]);
  Findings findings = check_rights(*connection, schema, role);
  if (findings.empty()) {
    findings.push_back({Level::ok, area,
                        "PostgreSQL " + std::get<std::string>(server[0]) + ", database " +
                            std::get<std::string>(server[2]) + ", role " + role + ", schema " + schema,
                        ""});
  }
  if (std::get<std::int64_t>(server[1]) < oldest_version) {
    findings.push_back({Level::warning, area, "PostgreSQL gets no security updates any more before version 13",
                        "Upgrade the server."});
  }
  findings.push_back(judge_clock(area, "PostgreSQL's clock", std::get<Timestamp>(server[4]) - here, Seconds(5)));
  return findings;
}

// Opening it for writing would make a missing file, and wait for a running service.
Findings check_sqlite(const std::string& path) {
  const std::string folder = folder_of(path);
  const std::string remedy = "Correct DATABASE_URL, or give the user that runs the service the right to write there.";
  std::error_code hidden;  // told as not there
  if (!std::filesystem::is_directory(folder, hidden)) {
    return problem("the folder " + folder + " is not there, or may not be looked into", remedy);
  }
  if (::access(folder.c_str(), W_OK | X_OK) != 0) {
    return problem("the folder " + folder + " cannot be written to, which SQLite needs for its journal", remedy);
  }
  if (!std::filesystem::exists(path, hidden)) {
    return {{Level::warning, area, "SQLite's file " + path + " is not there yet; serve makes it",
             "If there should be one: a relative path counts from the folder that a program is started in."}};
  }
  if (::access(path.c_str(), R_OK | W_OK) != 0) return problem("the file " + path + " cannot be written to", remedy);
  db::open_database("sqlite:///" + path, "").connect(db::ConnectionRole::read)->open();
  return {{Level::ok, area, "SQLite, " + path, ""}};
}

}  // namespace call_service::doctor
