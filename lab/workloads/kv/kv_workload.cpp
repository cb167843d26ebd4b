#include "lab/workloads/kv/kv_workload.h"

#include <tandem/tandem.h>
#include <fmt/format.h>
#include <sys/resource.h>

#include <cstdint>
#include <utility>

#include "examples/kv/connection.h"
#include "examples/server/serve.h"
#include "lab/command_line.h"
#include "lab/workloads/measured.h"

namespace lab {
namespace {

// The store behind a port, as examples/kv_server.cpp serves it.
class StoreServer {
 public:
  StoreServer() {
    serving_.go([this] {
      server::serve(listener_, [this](tandem::net::TcpStream stream) { kv::serve_client(std::move(stream), state_); });
    });
  }

  std::uint16_t port() const { return listener_.local_endpoint().port(); }

  // Parks the goroutine until all connections have ended.
  void stop() {
    listener_.close();
    serving_.wait();
  }

 private:
  kv::Server state_;
  tandem::net::TcpListener listener_ = tandem::net::TcpListener::bind("127.0.0.1:0");
  tandem::TaskGroup serving_;  // last, so that its goroutines end before what they use
};

constexpr rlim_t kOtherDescriptors = 100;

// For the clients, and for the servers, which inherit it.
void raise_descriptor_limit(int connections) {
  server::raise_descriptor_limit();
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur >= static_cast<rlim_t>(connections) + kOtherDescriptors) return;
  throw UsageError(fmt::format("--connections: {} need {} descriptors in a process, {} are allowed (ulimit -Hn)",
                               connections, static_cast<rlim_t>(connections) + kOtherDescriptors, limit.rlim_cur));
}

}  // namespace

void check_kv(const RunRequest& request) {
  raise_descriptor_limit(request.kv.connections);
  if (request.kv.beside_go) kv_load::build_go_twin();
}

nlohmann::json run_kv(const RunRequest& request, const ParentPipe& parent) {
  StoreServer server;
  const auto ask = [&](const char* what) {
    return tandem::blocking([&, port = server.port()] { return parent.ask({{what, port}}); });
  };
  ask("fill");
  nlohmann::json load;
  nlohmann::json metrics = measured(request, [&] { load = ask("load"); });
  metrics.update(load);
  if (const auto requests = load["requests"].get<std::uint64_t>(); requests > 0)
    metrics["request_cpu_ns"] = metrics["interval_cpu_ns"].get<std::uint64_t>() / requests;
  server.stop();
  nlohmann::json result = {{"metrics", std::move(metrics)}};
  kv_load::describe_input(request.kv, result);
  return result;
}

}  // namespace lab
