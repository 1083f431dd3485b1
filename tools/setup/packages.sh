# Installs Debian packages by name, as root or through sudo; says nothing when nothing is missing. Sourced.

BUILD_PACKAGES="clang-19 lld-19 cmake ninja-build ccache python3 libnghttp2-dev libssl-dev librocksdb-dev libsnappy-dev
  liblz4-dev libzstd-dev libbz2-dev zlib1g-dev libjemalloc-dev libfmt-dev libarchive-dev libc-ares-dev libcli11-dev
  libyaml-dev libpcre2-dev libseccomp-dev libcap-dev"
# Python and Node run the functions of the example; boto3 is there as it is in Lambda's own Python; curl is for trying it.
RUN_PACKAGES="nodejs python3 python3-boto3 curl"
TEST_PACKAGES="libclang-rt-19-dev libgtest-dev libgmock-dev python3-venv wrk bind9-dnsutils skopeo busybox-static"

missing_packages() {
  for package in "$@"; do
    # A Node that came from elsewhere serves as well.
    [ "$package" = nodejs ] && command -v node >/dev/null && continue
    [ "$package" = npm ] && command -v npm >/dev/null && continue
    dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || echo "$package"
  done
}

install_packages() {
  local missing
  missing=$(missing_packages "$@")
  [ -z "$missing" ] && return 0
  local as_root=""
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "These packages are missing, and there is no sudo to install them: $missing" >&2; return 1; }
    as_root=sudo
  fi
  $as_root apt-get update -qq || true
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null
}
