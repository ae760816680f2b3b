# sourced by run, latency, scale and sweep: a linkgate that is measured with the benchmark kit.
exec < /dev/null
root=$(dirname "$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")")
kit=$root/../shared/bench binary="" postgres="" level=warn
target=$(readlink -m "${CARGO_TARGET_DIR:-$root/target}")
export CARGO_TARGET_DIR=$target BENCH_WORK=${BENCH_WORK:-$target/bench} OAUTHLIB_INSECURE_TRANSPORT=1
folder=$(mktemp -d "${TMPDIR:-/tmp}/linkgate-bench.XXXXXXXX")
pids=() postgres_started=

usage() {
  sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0" >&2
  exit 64
}

# Stops what was started, by pid.
finish() {
  stop "${pids[@]}"
  [ -z "$postgres_started" ] || "$root/tests/postgres" stop || true
  rm -rf "$folder"
}
stop() {
  local pid
  for pid; do kill "$pid" 2> /dev/null && wait "$pid" 2> /dev/null || true; done
}
trap finish EXIT
trap 'exit 130' INT TERM

# The kit, the clients' libraries, and linkgate, unless --binary named one.
prepare() {
  "$kit/setup" > "$folder/setup.log" 2>&1 || { cat "$folder/setup.log" >&2 && exit 1; }
  "$root/tests/clients/prepare"
  [ -z "$binary" ] || return 0
  cargo build --profile dist --locked --quiet --manifest-path "$root/Cargo.toml"
  binary=$target/dist/linkgate
}

# write_config NAME PORT STORE_URL: a folder for a linkgate
write_config() {
  mkdir -p "$folder/$1"
  {
    printf '[server]\nlisten = "127.0.0.1:%d"\nadmin_listen = "127.0.0.1:%d"\n' "$2" $(($2 + 1))
    printf 'public_url = "http://127.0.0.1:%d"\ntrusted_proxies = ["127.0.0.1"]\n' "$2"
    printf '[store]\nurl = "%s"\n[keys]\nsecret_key_file = "linkgate.key"\n' "$3"
    printf '[login]\nmethod = "file"\n[login.file]\npath = "users.toml"\n[log]\nlevel = "%s"\n' "$level"
    "$kit/compare" --keys
  } > "$folder/$1/linkgate.toml"
  cp "$root/tests/it/examples/users.toml" "$folder/$1/"
  "$binary" key generate > "$folder/$1/linkgate.key"
  chmod 600 "$folder/$1/linkgate.key"
}

# start NAME: sets PID once it is ready, and START_MS, how long that took
start() {
  local config=$folder/$1/linkgate.toml from
  from=$(date +%s%N)
  "$binary" serve --config "$config" 2> "$folder/$1/log" &
  PID=$!
  pids+=("$PID")
  until "$binary" health --config "$config" > /dev/null 2>&1; do
    kill -0 "$PID" 2> /dev/null || { cat "$folder/$1/log" >&2 && exit 1; }
    sleep 0.02
  done
  START_MS=$((($(date +%s%N) - from) / 1000000))
}

# connect PORT CONSUMER CREDENTIAL: alice's access token, as options of a target
connect() {
  local token
  read -ra token < <("$target/clients/python/bin/python" "$root/tests/bench/connect.py" "http://127.0.0.1:$1" "$2" "$3")
  echo "token=${token[0]},ts=${token[1]}"
}

# for_each_store COMMAND PORT: COMMAND STORE PORT URL, for each of $stores
for_each_store() {
  case ,$stores, in *,sqlite,*) "$1" sqlite "$2" sqlite://linkgate.db ;; esac
  case ,$stores, in
    *,postgres,*)
      if [ -z "$postgres" ]; then
        "$root/tests/postgres" url > /dev/null 2>&1 || postgres_started=yes
        postgres=$("$root/tests/postgres" start)
      fi
      psql -q "$postgres" -c 'set client_min_messages = warning' -c 'drop database if exists linkgate_bench' -c 'create database linkgate_bench'
      "$1" postgres $(($2 + 10)) "${postgres%/*}/linkgate_bench"
      ;;
  esac
}
