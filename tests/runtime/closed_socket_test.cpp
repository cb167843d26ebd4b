// What is closed stays closed, and is closed once: the number of its descriptor is somebody else's afterwards.

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <system_error>
#include <vector>

#include <gtest/gtest.h>

#include "tandem/tandem.h"

namespace tandem::net {
namespace {

using namespace std::chrono_literals;

/// Closes a socket, takes its descriptor's number, and makes the calls, which have to fail.
void expect_calls_leave_the_number_alone(const std::function<void()>& close,
                                         const std::vector<std::function<void(std::error_code&)>>& calls) {
  close();
  const int stranger = ::open("/dev/null", O_RDWR | O_CLOEXEC);  // the lowest number that is free
  for (std::size_t i = 0; i < calls.size(); ++i) {
    std::error_code error;
    calls[i](error);
    EXPECT_EQ(error, std::errc::operation_canceled) << "call " << i;
    ASSERT_NE(::fcntl(stranger, F_GETFD), -1) << "call " << i << " has closed a descriptor that is not its own";
  }
  ::close(stranger);
}

TEST(ClosedSocket, CallsOnItLeaveItsDescriptorsNumberAlone) {
  tandem::run([] {
    TcpListener listener = TcpListener::bind("127.0.0.1:0");
    const std::string address = listener.local_endpoint().to_string();
    TcpStream client = TcpStream::connect(address, 5s);
    TcpStream server = listener.accept();
    UdpSocket datagrams = UdpSocket::bind("127.0.0.1:0");
    const Endpoint to = datagrams.local_endpoint();
    std::byte byte{};
    const std::span<std::byte> buffer(&byte, 1);

    expect_calls_leave_the_number_alone([&] { client.close(); },
                                        {[&](std::error_code& error) { client.read(buffer, error); },
                                         [&](std::error_code& error) { client.write(buffer, error); },
                                         [&](std::error_code& error) { client.local_endpoint(error); },
                                         [&](std::error_code& error) { client.read(buffer, error); }});
    expect_calls_leave_the_number_alone([&] { datagrams.close(); },
                                        {[&](std::error_code& error) { datagrams.receive_from(buffer, error); },
                                         [&](std::error_code& error) { datagrams.send_to(buffer, to, error); }});
    expect_calls_leave_the_number_alone([&] { listener.close(); },
                                        {[&](std::error_code& error) { listener.accept(error); },
                                         [&](std::error_code& error) { listener.local_endpoint(error); }});
  });
}

}  // namespace
}  // namespace tandem::net
