#pragma once
/// \file
/// From names to addresses.

#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace tandem::net {

/// The addresses of a host, as text, in the order in which they should be tried, each once. The system's resolver is asked on a thread
/// whose processor runs other goroutines meanwhile; an address is its own answer at once. Nothing interrupts the resolver: a
/// cancellation is told (Cancelled) once it has answered. Throws std::system_error of
/// resolver_category() when the host is not found.
std::vector<std::string> lookup(std::string_view host);
std::vector<std::string> lookup(std::string_view host, std::error_code& error);

/// Errors of getaddrinfo.
const std::error_category& resolver_category() noexcept;

}  // namespace tandem::net
