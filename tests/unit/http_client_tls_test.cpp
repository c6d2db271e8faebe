#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <boost/asio/co_spawn.hpp>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "http/client.hpp"
#include "http_test_support.hpp"

namespace call_service::http {
namespace {

using Answer = std::expected<ClientResponse, ClientError>;

template <auto Free>
struct Freeing {
  void operator()(auto* object) const { Free(object); }
};
using Key = std::unique_ptr<EVP_PKEY, Freeing<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freeing<X509_free>>;
using Context = std::unique_ptr<SSL_CTX, Freeing<SSL_CTX_free>>;
using Session = std::unique_ptr<SSL, Freeing<SSL_free>>;

// A certificate for "localhost", signed by itself.
Certificate certify(EVP_PKEY* key) {
  Certificate certificate(X509_new());
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3600);
  X509_set_pubkey(certificate.get(), key);
  X509_NAME* name = X509_get_subject_name(certificate.get());
  const auto* text = reinterpret_cast<const unsigned char*>("localhost");
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, -1, -1, 0);
  X509_set_issuer_name(certificate.get(), name);
  X509_EXTENSION* names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "DNS:localhost");
  X509_add_ext(certificate.get(), names, -1);
  X509_EXTENSION_free(names);
  X509_sign(certificate.get(), key, EVP_sha256());
  return certificate;
}

// A server for one TLS connection. SSL_CERT_FILE names its certificate while the fixture lives, if trust() was called.
class HttpClientTls : public ::testing::Test {
 protected:
  HttpClientTls() : key_(EVP_EC_gen("P-256")), certificate_(certify(key_.get())) {
    file_ = std::filesystem::temp_directory_path() / ("http_client_tls_test_" + std::to_string(::getpid()) + ".pem");
  }
  ~HttpClientTls() override {
    if (peer_.joinable()) peer_.join();
    ::unsetenv("SSL_CERT_FILE");
    std::filesystem::remove(file_);
  }

  void trust() {
    std::FILE* file = std::fopen(file_.c_str(), "w");
    ASSERT_NE(file, nullptr);
    PEM_write_X509(file, certificate_.get());
    std::fclose(file);
    ::setenv("SSL_CERT_FILE", file_.c_str(), 1);
  }

  void serve() {
    peer_ = std::thread([this] {
      const http_test::RawSocket socket = listener_.accept();
      const Context context(SSL_CTX_new(TLS_server_method()));
      SSL_CTX_use_certificate(context.get(), certificate_.get());
      SSL_CTX_use_PrivateKey(context.get(), key_.get());
      const Session session(SSL_new(context.get()));
      SSL_set_fd(session.get(), socket.descriptor());
      if (SSL_accept(session.get()) != 1) return;
      const std::string_view response = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
      char bytes[4096];
      while (SSL_read(session.get(), bytes, sizeof bytes) > 0) {
        ++requests_;
        SSL_write(session.get(), response.data(), static_cast<int>(response.size()));
      }
    });
  }

  std::vector<Answer> ask(const std::string& host, int times) {
    boost::asio::io_context context{1};
    Client client(context.get_executor(), *Origin::parse("https://" + host + ":" + std::to_string(listener_.port())));
    std::vector<Answer> answers;
    const auto script = [&]() -> Task<> {
      for (int i = 0; i < times; ++i) {
        ClientRequest request{.method = Method::get, .path = "/"};
        answers.push_back(co_await client.send(std::move(request), std::chrono::seconds(5)));
      }
      client.close();
    };
    boost::asio::co_spawn(context, script, [](const std::exception_ptr& failure) { EXPECT_FALSE(failure); });
    context.run_for(http_test::patience);
    return answers;
  }

  std::atomic<int> requests_ = 0;

 private:
  Key key_;
  Certificate certificate_;
  std::filesystem::path file_;
  http_test::RawListener listener_;
  std::thread peer_;
};

TEST_F(HttpClientTls, SpeaksToAPeerThatIsTrustedOverOneConnection) {
  trust();
  serve();
  const auto answers = ask("localhost", 2);
  ASSERT_EQ(answers.size(), 2U);
  for (const Answer& answer : answers) {
    ASSERT_TRUE(answer) << answer.error().what;
    EXPECT_EQ(answer->body, "ok");
  }
  EXPECT_EQ(requests_, 2);
}

TEST_F(HttpClientTls, RefusesACertificateThatNobodyTrusts) {
  serve();
  const auto answers = ask("localhost", 1);
  ASSERT_EQ(answers.size(), 1U);
  ASSERT_FALSE(answers[0]);
  EXPECT_THAT(answers[0].error().what, ::testing::StartsWith("TLS handshake: "));
  EXPECT_EQ(requests_, 0);
}

TEST_F(HttpClientTls, RefusesACertificateForAnotherName) {
  trust();
  serve();
  const auto answers = ask("127.0.0.1", 1);
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_FALSE(answers[0]);
  EXPECT_EQ(requests_, 0);
}

}  // namespace
}  // namespace call_service::http
