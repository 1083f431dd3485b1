# Prints one line per step with the time it took; a failed step shows the end of its log. Sourced.

if [ -t 1 ]; then BOLD=$'\e[1m' GREEN=$'\e[32m' RED=$'\e[31m' DIM=$'\e[2m' PLAIN=$'\e[0m'; else BOLD="" GREEN="" RED="" DIM="" PLAIN=""; fi
STEP_LOG_DIR=${STEP_LOG_DIR:-build/logs}

# step "what" command...: runs it with its output in a log; returns its status.
step() {
  local what=$1 status=0 start=$SECONDS log ticker=""
  shift
  mkdir -p "$STEP_LOG_DIR"
  log="$STEP_LOG_DIR/$(echo "$what" | tr -c 'a-zA-Z0-9\n' '-').log"
  if [ -t 1 ]; then
    (while sleep 1; do printf '\r  %s %s%ds%s ' "$what" "$DIM" $((SECONDS - start)) "$PLAIN"; done) &
    ticker=$!
  fi
  "$@" >"$log" 2>&1 || status=$?
  [ -n "$ticker" ] && { kill "$ticker" 2>/dev/null; wait "$ticker" 2>/dev/null; printf '\r'; }
  if [ $status -eq 0 ]; then
    printf '  %s✓%s %-46s %s%ds%s\n' "$GREEN" "$PLAIN" "$what" "$DIM" $((SECONDS - start)) "$PLAIN"
  else
    printf '  %s✗%s %-46s %ds; the end of %s:\n' "$RED" "$PLAIN" "$what" $((SECONDS - start)) "$log"
    tail -n "${STEP_TAIL:-40}" "$log"
  fi
  return $status
}
