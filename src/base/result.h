// Errors as values. `Result<T, E>` is what every fallible function returns; TRY passes an error on.
#pragma once

#include <expected>
#include <string>
#include <type_traits>
#include <utility>

namespace reef {

// Either a value or an error. Inside a function that itself returns a Result with the same error type:
//   auto queue = TRY(find_queue(name));        // in a plain function
//   auto sent = CO_TRY(co_await send(queue));  // in a coroutine
template <class T, class E>
class [[nodiscard]] Result : public std::expected<T, E> {
 public:
  using std::expected<T, E>::expected;
  Result() = default;
};

// An error on its way out: `return Err(Refusal::kNoSuchQueue);` converts to any Result with that error type.
template <class E>
[[nodiscard]] std::unexpected<std::decay_t<E>> Err(E&& error) {
  return std::unexpected<std::decay_t<E>>(std::forward<E>(error));
}

namespace detail {
template <class R>
decltype(auto) take_value(R&& result) {
  if constexpr (!std::is_void_v<typename std::remove_cvref_t<R>::value_type>) return *std::move(result);
}
}  // namespace detail

// For operating-system failures and other errors that only a person reads.
struct Failure {
  std::string message;
  int code = 0;  // errno where there is one
};

}  // namespace reef

#define REEF_TRY_WITH(return_keyword, ...)                                          \
  ({                                                                                 \
    auto reef_result = (__VA_ARGS__);                                               \
    if (!reef_result.has_value()) [[unlikely]]                                      \
      return_keyword ::std::unexpected(std::move(reef_result).error());             \
    ::reef::detail::take_value(std::move(reef_result));                            \
  })
#define TRY(...) REEF_TRY_WITH(return, __VA_ARGS__)
#define CO_TRY(...) REEF_TRY_WITH(co_return, __VA_ARGS__)
