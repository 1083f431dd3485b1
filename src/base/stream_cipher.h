// AES-256 in counter mode: as many bytes out as in, from any offset. It hides and does not authenticate; a nonce must
// never be used twice with the same key.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace reef {

class StreamCipher {
 public:
  static constexpr std::size_t kKeyBytes = 32, kNonceBytes = 16;

  // Begins at `offset` of the stream.
  StreamCipher(std::string_view key, std::string_view nonce, std::uint64_t offset = 0);
  ~StreamCipher();
  StreamCipher(StreamCipher&& other) noexcept;
  StreamCipher& operator=(StreamCipher&& other) noexcept;

  // Encrypts or decrypts what follows; the two are the same.
  std::string apply(std::string_view bytes);

 private:
  void* context_;
};

}  // namespace reef
