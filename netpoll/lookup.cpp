#include "tandem/net/lookup.h"

#include <netdb.h>

#include <algorithm>
#include <cerrno>

#include "netpoll/system_call.h"
#include "runtime/seam/registry.h"

namespace tandem::net {

namespace {

class ResolverCategory final : public std::error_category {
 public:
  const char* name() const noexcept override { return "resolver"; }
  std::string message(int code) const override { return ::gai_strerror(code); }
};

struct Query {
  std::string host;
  std::vector<std::string> addresses;
  std::error_code error;
};

// On a thread of its own stack or not: getaddrinfo wants tens of kilobytes of stack, which the caller has seen to.
void ask(void* argument) {
  auto& query = *static_cast<Query*>(argument);
  ::addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  ::addrinfo* found = nullptr;
  const int status = ::getaddrinfo(query.host.c_str(), nullptr, &hints, &found);
  if (status != 0) {
    query.error = status == EAI_SYSTEM ? std::error_code(errno, std::generic_category())
                                       : std::error_code(status, resolver_category());
    return;
  }
  for (const ::addrinfo* one = found; one != nullptr; one = one->ai_next) {
    char text[NI_MAXHOST];
    if (::getnameinfo(one->ai_addr, one->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST) != 0) continue;
    if (std::find(query.addresses.begin(), query.addresses.end(), text) == query.addresses.end())
      query.addresses.emplace_back(text);
  }
  ::freeaddrinfo(found);
}

}  // namespace

const std::error_category& resolver_category() noexcept {
  static const ResolverCategory category;
  return category;
}

std::vector<std::string> lookup(std::string_view host, std::error_code& error) {
  error.clear();
  Query query{std::string(host), {}, {}};
  if (Endpoint unused; parse_address(query.host, 0, unused)) return {query.host};
  if (host.empty() || host.find('\0') != std::string_view::npos) {
    error = std::make_error_code(std::errc::invalid_argument);
    return {};
  }
  run_blocking("tandem::net::lookup", &ask, &query);
  seam::registry.scheduler->check_cancelled();  // nothing interrupts the resolver
  error = query.error;
  return std::move(query.addresses);
}

std::vector<std::string> lookup(std::string_view host) {
  return or_throw("lookup", host, [&](std::error_code& error) { return lookup(host, error); });
}

}  // namespace tandem::net
