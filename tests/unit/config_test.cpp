#include "config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace call_service {
namespace {

using namespace std::string_literals;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

using Variables = std::map<std::string, std::string, std::less<>>;

const std::string livekit_secret = "livekit-h7Qx2vN9sLw4Tz8Rb6Yk3Mf5Pc1Jd0";
const std::string jwt_secret = "jwt-Zk5Wq8Rt1Vy7Bn3Xm6Cd2Lp9Gh4Sf0";
const std::string service_key = "key-0123456789abcdef0123456789abcdef";

Variables with(Variables changes) {
  Variables all{{"LIVEKIT_API_KEY", "APIkey"}, {"LIVEKIT_API_SECRET", livekit_secret}, {"AUTH_JWT_SECRET", jwt_secret}};
  for (auto& [name, value] : changes) all[name] = value;
  return all;
}

Environment environment_of(Variables variables) {
  return [variables = std::move(variables)](std::string_view name) -> std::optional<std::string> {
    const auto at = variables.find(name);
    return at == variables.end() ? std::nullopt : std::optional(at->second);
  };
}

Config config_with(Variables changes) {
  auto config = read_config(environment_of(with(std::move(changes))));
  if (config) return *config;
  ADD_FAILURE() << ::testing::PrintToString(config.error());
  return {};
}

std::vector<std::string> faults_with(Variables changes) {
  const auto config = read_config(environment_of(with(std::move(changes))));
  return config ? std::vector<std::string>{} : config.error();
}

TEST(Config, HasTheDefaultsOfTheContract) {
  const Config config = config_with({});
  EXPECT_EQ(config.database_url, "sqlite:///call-service.db");
  EXPECT_EQ(config.database_schema, "public");
  EXPECT_EQ(config.livekit_url, "ws://127.0.0.1:7880");
  EXPECT_EQ(config.livekit_public_url, "ws://127.0.0.1:7880");
  EXPECT_EQ(config.livekit_webhook_secret, livekit_secret);
  EXPECT_EQ(config.livekit_token_ttl, Seconds{600});
  EXPECT_EQ(config.room_departure_timeout, Seconds{60});
  EXPECT_EQ(config.call_never_joined_timeout, Seconds{900});
  EXPECT_EQ(config.host, "127.0.0.1");
  EXPECT_EQ(config.port, 8000);
  EXPECT_GE(config.workers, 1);
  EXPECT_TRUE(config.migrate_on_start);
  EXPECT_THAT(config.cors_allow_origins, IsEmpty());
  EXPECT_EQ(config.log_level, log::Level::info);
  EXPECT_EQ(config.log_format, log::Format::json);
}

TEST(Config, AnEmptyVariableCountsAsNotSet) {
  EXPECT_EQ(config_with({{"PORT", ""}, {"DATABASE_URL", ""}, {"AUTH_API_KEYS", ""}}).port, 8000);
  EXPECT_THAT(faults_with({{"AUTH_JWT_SECRET", ""}}), ElementsAre(HasSubstr("AUTH_API_KEYS, AUTH_JWT_SECRET")));
}

TEST(Config, TellsEveryFaultAtOnceAndNoSecret) {
  const auto config = read_config(environment_of({{"DATABASE_URL", "mysql://root:hunter2@db/x"},
                                                  {"LIVEKIT_API_SECRET", "short-secret"},
                                                  {"AUTH_API_KEYS", "web:short-key"},
                                                  {"AUTH_JWT_SECRET", "short-jwt"},
                                                  {"PORT", "80x"},
                                                  {"WORKERS", "0"},
                                                  {"LOG_LEVEL", "loud"}}));
  ASSERT_FALSE(config);
  EXPECT_THAT(config.error(), ElementsAre(StartsWith("DATABASE_URL: "), StartsWith("LIVEKIT_API_KEY: is required"),
                                          StartsWith("LIVEKIT_API_SECRET: "), StartsWith("AUTH_API_KEYS: "),
                                          StartsWith("AUTH_JWT_SECRET: "), StartsWith("PORT: "),
                                          StartsWith("WORKERS: "), StartsWith("LOG_LEVEL: ")));
  EXPECT_THAT(config.error(), Each(AllOf(Not(HasSubstr("short-")), Not(HasSubstr("hunter2")), Not(HasSubstr("\n")))));
}

TEST(Config, OfTheDatabaseOnlyNeedsNothingElse) {
  const auto config = read_config(environment_of({{"DATABASE_URL", "postgres://h/d"}}), ConfigScope::database);
  ASSERT_TRUE(config);
  EXPECT_EQ(config->database_url, "postgresql://h/d");
}

TEST(Config, OfATokenNeedsOnlyWhatItIsMadeOf) {
  const auto config = read_config(environment_of({{"AUTH_JWT_SECRET", jwt_secret},
                                                  {"AUTH_JWT_ISSUER", "login"},
                                                  {"AUTH_JWT_AUDIENCE", "calls"},
                                                  {"DATABASE_URL", "nonsense"}}),
                                  ConfigScope::token);
  ASSERT_TRUE(config);
  EXPECT_EQ(config->auth_jwt_secret, jwt_secret);
  EXPECT_EQ(config->auth_jwt_issuer, "login");
  EXPECT_EQ(config->auth_jwt_audience, "calls");
  EXPECT_FALSE(read_config(environment_of({{"AUTH_JWT_SECRET", "short"}}), ConfigScope::token));
}

TEST(Config, ReadsDatabaseUrls) {
  EXPECT_EQ(config_with({{"DATABASE_URL", "postgresql+asyncpg://u:p@h1:1,h2:2/d?sslmode=disable"}}).database_url,
            "postgresql://u:p@h1:1,h2:2/d?sslmode=disable");
  EXPECT_EQ(config_with({{"DATABASE_URL", "sqlite:////var/lib/x.db"}}).database_url, "sqlite:////var/lib/x.db");
  EXPECT_FALSE(config_with({{"DATABASE_URL", "postgresql:///d"}}).migrate_on_start);
  for (const char* url : {"sqlite://:memory:", "sqlite:///:memory:", "sqlite://x.db", "sqlite:///", "sqlite:x.db",
                          "x.db", "mysql://h/d", "postgresqlx://h/d", "sqlite:///x.db?mode=ro"}) {
    EXPECT_THAT(faults_with({{"DATABASE_URL", url}}), ElementsAre(StartsWith("DATABASE_URL: must"))) << url;
  }
  for (const std::string& schema : {std::string("pg_x"), std::string(64, 'a')}) {
    EXPECT_THAT(faults_with({{"DATABASE_SCHEMA", schema}}), ElementsAre(StartsWith("DATABASE_SCHEMA: "))) << schema;
  }
}

TEST(Config, ADatabaseUrlSaysWhetherStatementsArePrepared) {
  for (const char* url : {"postgresql://h/d?prepared=false", "postgresql://u:p?prepared=x@h/d?sslmode=disable",
                          "postgresql://h/d?prepared=true&sslmode=disable"}) {
    EXPECT_EQ(config_with({{"DATABASE_URL", url}}).database_url, url);
  }
  for (const char* url : {"postgresql://h/d?prepared=no", "postgresql://h/d?sslmode=disable&prepared=",
                          "postgresql://h/d?prepared=false&prepared=false"}) {
    EXPECT_THAT(faults_with({{"DATABASE_URL", url}}),
                ElementsAre("DATABASE_URL: must have prepared=true or prepared=false, and only once"))
        << url;
  }
}

TEST(Config, ADatabaseUrlThatLibpqCannotReadIsRefusedWithoutItsPassword) {
  for (const char* url : {"postgresql://u:hunter%zz@h/d", "postgresql://u:hunter%2@h/d", "postgresql://u:hunter%@h/d",
                          "postgresql://u:hunter%00@h/d", "postgresql://u:hun@ter2@h/d", "postgresql://u:hunter/2@h/d",
                          "postgresql://u:/hunter@h/d", "postgresql://u:12/hunter@h/d", "postgresql://u:hunter[@h:x/d",
                          "postgresql://u:hun ter@h/d", "postgresql://u:hunter@h:70000/d", "postgresql://u:p@h:1,i:0/d",
                          "postgresql://u:hunter@[::1/d", "postgresql://u:hunter@h/d?hunter",
                          "postgresql://h/d?password=a=hunter", "postgresql://h/d?hunter=2"}) {
    EXPECT_THAT(faults_with({{"DATABASE_URL", url}}),
                ElementsAre(AllOf(StartsWith("DATABASE_URL: must be postgresql://"), Not(HasSubstr("hunter")))))
        << url;
  }
  for (const char* url :
       {"postgresql://u:p%40%2F%25@h/d", "postgresql://u:p?#[]:=@h/d", "postgresql://%2Fvar%2Frun/d",
        "postgresql://h1,h2:5433/d", "postgresql:///d?host=/tmp&port=5433&user=a@b", "postgresql://[::1]:5432/a%40b"}) {
    EXPECT_EQ(config_with({{"DATABASE_URL", url}}).database_url, url);
  }
}

TEST(Config, ClientsGetAWebSocketUrl) {
  EXPECT_EQ(config_with({{"LIVEKIT_URL", "https://lk.example.com"}}).livekit_public_url, "wss://lk.example.com");
  const Config config = config_with({{"LIVEKIT_URL", "http://lk:7880"}, {"LIVEKIT_PUBLIC_URL", "http://[::1]:7880/x"}});
  EXPECT_EQ(config.livekit_url, "http://lk:7880");
  EXPECT_EQ(config.livekit_public_url, "ws://[::1]:7880/x");
  for (const char* url : {"lk:7880", "ftp://lk", "ws://", "ws://:7880", "ws://lk:0", "ws://lk:70000", "ws://u:p@lk",
                          "ws://lk?x", "ws://l k"}) {
    EXPECT_THAT(faults_with({{"LIVEKIT_URL", url}}), ElementsAre(StartsWith("LIVEKIT_URL: must be ws://"))) << url;
  }
}

TEST(Config, NumbersMustBeWholeAndInRange) {
  EXPECT_EQ(config_with({{"LIVEKIT_TOKEN_TTL_SECONDS", "10"}}).livekit_token_ttl, Seconds{10});
  EXPECT_EQ(config_with({{"PORT", "0"}}).port, 0);
  EXPECT_EQ(config_with({{"PORT", "65535"}}).port, 65535);
  EXPECT_EQ(config_with({{"CALL_NEVER_JOINED_TIMEOUT_SECONDS", "0"}}).call_never_joined_timeout, Seconds{0});
  for (const auto& [name, value] :
       std::vector<std::pair<std::string, std::string>>{{"LIVEKIT_TOKEN_TTL_SECONDS", "9"},
                                                        {"LIVEKIT_TOKEN_TTL_SECONDS", "86401"},
                                                        {"ROOM_DEPARTURE_TIMEOUT_SECONDS", "0"},
                                                        {"PORT", "65536"},
                                                        {"PORT", "-1"},
                                                        {"PORT", " 80"},
                                                        {"PORT", "8e3"},
                                                        {"WORKERS", "257"},
                                                        {"WORKERS", "99999999999999999999"},
                                                        {"CALL_NEVER_JOINED_TIMEOUT_SECONDS", "-5"}}) {
    EXPECT_THAT(faults_with({{name, value}}), ElementsAre(StartsWith(name + ": must be a whole number from"))) << value;
  }
}

TEST(Config, ServiceKeysHaveNamesAndMayRotate) {
  const Config config = config_with({{"AUTH_API_KEYS", "web:" + service_key + ":x, web:2" + service_key}});
  ASSERT_EQ(config.auth_api_keys.size(), 2U);
  EXPECT_EQ(config.auth_api_keys[0].name, "web");
  EXPECT_EQ(config.auth_api_keys[0].key, service_key + ":x");
  EXPECT_EQ(config.auth_api_keys[1].key, "2" + service_key);
  for (const std::string& keys : {service_key, ":" + service_key, "web:short"s, "web:" + service_key + ",",
                                  "a:" + service_key + ",b:" + service_key, "a:" + service_key + "\xC3\xA9"}) {
    const auto faults = faults_with({{"AUTH_API_KEYS", keys}});
    EXPECT_THAT(faults, ElementsAre(AllOf(StartsWith("AUTH_API_KEYS: "), Not(HasSubstr(service_key))))) << keys;
  }
}

TEST(Config, NoCredentialMayBeASecretOfLiveKit) {
  EXPECT_THAT(faults_with({{"AUTH_JWT_SECRET", livekit_secret}}), ElementsAre(StartsWith("AUTH_JWT_SECRET: ")));
  EXPECT_THAT(faults_with({{"AUTH_JWT_SECRET_PREVIOUS", livekit_secret}}),
              ElementsAre(StartsWith("AUTH_JWT_SECRET_PREVIOUS: ")));
  EXPECT_THAT(faults_with({{"LIVEKIT_WEBHOOK_SECRET", jwt_secret}}), ElementsAre(StartsWith("AUTH_JWT_SECRET: ")));
  EXPECT_THAT(faults_with({{"LIVEKIT_WEBHOOK_EXTRA_KEYS", "old:" + jwt_secret}}),
              ElementsAre(StartsWith("AUTH_JWT_SECRET: ")));
  EXPECT_THAT(faults_with({{"AUTH_API_KEYS", "web:" + livekit_secret}}), ElementsAre(StartsWith("AUTH_API_KEYS: ")));
}

TEST(Config, WebhookSignersAreRead) {
  const Config config = config_with({{"LIVEKIT_WEBHOOK_SECRET", "w" + livekit_secret},
                                     {"LIVEKIT_WEBHOOK_API_KEY", "hook"},
                                     {"LIVEKIT_WEBHOOK_EXTRA_KEYS", "a:1" + livekit_secret + ",b:2" + livekit_secret}});
  EXPECT_EQ(config.livekit_webhook_secret, "w" + livekit_secret);
  EXPECT_EQ(config.livekit_webhook_api_key, "hook");
  ASSERT_EQ(config.livekit_webhook_extra_keys.size(), 2U);
  EXPECT_EQ(config.livekit_webhook_extra_keys[1].key, "b");
  EXPECT_EQ(config.livekit_webhook_extra_keys[1].secret, "2" + livekit_secret);
}

TEST(Config, OriginsAreReadAsBrowsersSendThem) {
  EXPECT_THAT(
      config_with({{"CORS_ALLOW_ORIGINS", "https://App.example.com:443, http://localhost:3000"}}).cors_allow_origins,
      ElementsAre("https://app.example.com", "http://localhost:3000"));
  EXPECT_THAT(config_with({{"CORS_ALLOW_ORIGINS", "*"}}).cors_allow_origins, ElementsAre("*"));
  for (const char* origins : {"example.com", "https://a.example/", "https://a.example/x", "*,https://a.example",
                              "https://*.example.com", "https://a.example,", "null", "https://a:b"}) {
    EXPECT_THAT(faults_with({{"CORS_ALLOW_ORIGINS", origins}}), ElementsAre(StartsWith("CORS_ALLOW_ORIGINS: must")))
        << origins;
  }
}

TEST(Config, TruthHasManyWords) {
  for (const char* yes : {"true", "1", "YES", "On"}) {
    EXPECT_TRUE(config_with({{"DATABASE_URL", "postgresql://h/d"}, {"MIGRATE_ON_START", yes}}).migrate_on_start);
  }
  for (const char* no : {"false", "0", "No", "off"})
    EXPECT_FALSE(config_with({{"MIGRATE_ON_START", no}}).migrate_on_start);
  EXPECT_THAT(faults_with({{"MIGRATE_ON_START", "maybe"}}), ElementsAre(StartsWith("MIGRATE_ON_START: ")));
}

TEST(Config, ALineBreakInAValueIsAFault) {
  EXPECT_THAT(faults_with({{"AUTH_JWT_SECRET", jwt_secret + "\n"}}),
              ElementsAre(AllOf(StartsWith("AUTH_JWT_SECRET: "), HasSubstr("line break"))));
}

TEST(Config, HelpNamesEveryVariableWithItsDefault) {
  const std::string help = config_help();
  for (const char* name : {"DATABASE_URL (default: sqlite:///call-service.db)", "LIVEKIT_API_SECRET (required)",
                           "AUTH_API_KEYS", "WORKERS (default: cores)", "CALL_NEVER_JOINED_TIMEOUT_SECONDS"}) {
    EXPECT_THAT(help, HasSubstr(name));
  }
}

TEST(Config, DoubtfulSettingsAreWarnedOf) {
  EXPECT_THAT(config_warnings(config_with({})), IsEmpty());
  const auto warnings = config_warnings(config_with({{"CORS_ALLOW_ORIGINS", "*"},
                                                     {"LIVEKIT_API_KEY", "devkey"},
                                                     {"LIVEKIT_API_SECRET", "secretsecretsecretsecretsecretsecret"},
                                                     {"HOST", "0.0.0.0"}}));
  EXPECT_THAT(warnings, ElementsAre(StartsWith("CORS_ALLOW_ORIGINS: "), StartsWith("LIVEKIT_API_KEY: "),
                                    StartsWith("LIVEKIT_API_SECRET: "), StartsWith("LIVEKIT_PUBLIC_URL: ")));
  EXPECT_THAT(warnings, Each(Not(HasSubstr("secretsecret"))));
  EXPECT_THAT(config_warnings(config_with({{"LIVEKIT_PUBLIC_URL", "ws://lk.example.com"}})),
              Contains(HasSubstr("not encrypted")));
}

TEST(Config, SecretsThatWereTypedAreWarnedOf) {
  for (const char* typed : {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "0123456789abcdef0123456789abcdef",
                            "my-own-secret-for-the-calls-of-us", "q7Rt0ZpLq7Rt0ZpLq7Rt0ZpLq7Rt0ZpL"}) {
    EXPECT_THAT(config_warnings(config_with({{"AUTH_JWT_SECRET", typed}})),
                ElementsAre(StartsWith("AUTH_JWT_SECRET: is easy to guess")))
        << typed;
  }
}

TEST(Config, TheUrlOfAJwkSetIsChecked) {
  for (const char* url :
       {"https://login.example.com/.well-known/jwks.json", "http://127.0.0.1:8080/keys?policy=a&b=c",
        "https://login.example.com", "https://[::1]/keys", "file:///etc/keys.json", "file:///with%20space"}) {
    EXPECT_EQ(config_with({{"AUTH_JWKS_URL", url}}).auth_jwks_url, url);
  }
  for (const char* url : {"login.example.com", "ftp://login.example.com/x", "wss://login.example.com/x", "https://",
                          "https://user:hunter2@login.example.com/x", "https://h/x#y", "https://h:0/x", "https://h/a b",
                          "file://etc/keys.json", "file:///", "file:///a%2", "file:///a%00b", "/etc/keys.json"}) {
    EXPECT_THAT(faults_with({{"AUTH_JWKS_URL", url}}),
                ElementsAre(AllOf(StartsWith("AUTH_JWKS_URL: must be"), Not(HasSubstr("hunter2")))))
        << url;
  }
}

TEST(Config, AJwkSetIsACredential) {
  const std::string url = "https://login.example.com/keys";
  EXPECT_FALSE(config_with({{"AUTH_JWT_SECRET", ""}, {"AUTH_JWKS_URL", url}}).auth_jwt_secret);
  EXPECT_THAT(faults_with({{"AUTH_JWT_SECRET", ""}}), ElementsAre(HasSubstr("AUTH_JWKS_URL")));
}

TEST(Config, AJwkSetWithoutIssuerAndAudienceIsWarnedOf) {
  const auto warnings = [](Variables more) {
    more.try_emplace("AUTH_JWKS_URL", "https://login.example.com/keys");
    return config_warnings(config_with(more));
  };
  EXPECT_THAT(warnings({}), ElementsAre(HasSubstr("without AUTH_JWT_ISSUER and AUTH_JWT_AUDIENCE")));
  EXPECT_THAT(warnings({{"AUTH_JWT_ISSUER", "i"}}), ElementsAre(HasSubstr("without AUTH_JWT_AUDIENCE")));
  const Variables both{{"AUTH_JWT_ISSUER", "i"}, {"AUTH_JWT_AUDIENCE", "a"}};
  EXPECT_THAT(warnings(both), IsEmpty());
  Variables plain = both;
  plain["AUTH_JWKS_URL"] = "http://login.example.com/keys";
  EXPECT_THAT(warnings(plain), ElementsAre(HasSubstr("not encrypted")));
  plain["AUTH_JWKS_URL"] = "http://127.0.0.1:1/keys";
  EXPECT_THAT(warnings(plain), IsEmpty());
}

}  // namespace
}  // namespace call_service
