#!/bin/sh
# Installs Kinomill as a service of systemd, upgrades it, takes an upgrade back, removes it. See --help.
# It asks nothing unless it runs on a terminal, may be run again at any time, and may be interrupted at any moment: until
# the new version has proven itself, the old one is what runs, also after a power cut.
set -eu
umask 022
LC_ALL=C
export LC_ALL

# The public key of releases (minisign); script/release puts it in when it signs.
release_key=''

opt=/opt/kinomill
etc=/etc/kinomill
units=/etc/systemd/system
link=/usr/local/bin/kinomill
own_data=/var/lib/kinomill
minio_unit=$units/kinomill-minio.service
minio_data=/var/lib/kinomill-minio
minio_secret=$etc/credentials/minio
minio_address=127.0.0.1:9000
# What is written while a version is tried: who tries it, and what to go back to.
marker=$opt/upgrade
# A new version has this long to become ready, migrations of a large database included, and so has one that comes back.
ready_seconds=300
back_seconds=300
# An executable has some 120 MB; the archive and what is unpacked lie side by side for a moment.
needed_kib=400000

usage() {
  cat <<'END'
Usage: install.sh [ACTION] [OPTION …]

Installs Kinomill, or brings it to the version at hand when it is installed already.

Actions
  --upgrade            the same, said explicitly; refuses when nothing is installed
  --rollback           back to the version before the last upgrade
  --apply              write the units anew after a change of listen or data in /etc/kinomill/config.toml
  --uninstall          remove the service and the programs; settings and data stay
  --purge              with --uninstall: remove settings and data too
  --status             say what is installed and what runs

Where the release comes from; without it: the folder of this script, or built from the checkout that it stands in
  --from URL|DIR|FILE  a release folder, its address, or one archive with SHA256SUMS beside it
  --offline DIR        a release folder, and nothing is fetched from anywhere
  --key KEY|FILE       public key of minisign that the release must be signed with; kept for later upgrades
  --unsigned           take a release from a URL although no key is known: only its checksum is looked at

How it is set up (kept in /etc/kinomill/config.toml; later runs change only what is given)
  --data DIR           folder for database and files (default /var/lib/kinomill)
  --port PORT          port of the page and the API (default 7600)
  --listen HOST:PORT   address and port (default 0.0.0.0:7600)
  --with-minio [FILE]  also a local S3 server, as a service of its own for this machine alone, that keeps the files:
                       FILE is the program minio, which you bring (default: the one in PATH, or /usr/local/bin/minio).
                       Settings of storage that are there already stay.

  --restore-database   with --rollback: also take the database of before the upgrade, where the old version cannot
                       read the present one. What was done since then is not in it; it is kept aside.
  --wait SECONDS       what a new version has to become ready (default 300)
  --dry-run            say what was found and what would be done, and do nothing
  --yes                do not ask, also on a terminal
  --help

Exit codes: 0 done, 1 it did not work out and everything is as before, 2 wrong usage, 130 interrupted.
END
}

say() { printf '%s\n' "$*"; }
warn() { printf 'install.sh: %s\n' "$*" >&2; }
fail() {
  warn "$@"
  exit 1
}
misused() {
  warn "$* (install.sh --help shows what there is)"
  exit 2
}

action='' from='' offline='' key='' unsigned='' data='' listen='' port='' purge='' yes='' dry='' restore_database=''
with_minio='' minio=''
choose() {
  [ -z "$action" ] || misused "--$action and --$1 do not go together"
  action=$1
}
value() { if [ -z "${2:-}" ]; then misused "$1 needs a value"; fi; }
while [ $# -gt 0 ]; do
  case $1 in
  --upgrade | --rollback | --uninstall | --apply | --status | --settle) choose "${1#--}" ;;
  --purge) purge=yes ;;
  --from) value "$@"; from=$2; shift ;;
  --offline) value "$@"; offline=yes from=$2; shift ;;
  --key) value "$@"; key=$2; shift ;;
  --unsigned) unsigned=yes ;;
  --data) value "$@"; data=$2; shift ;;
  --port) value "$@"; port=$2; shift ;;
  --listen) value "$@"; listen=$2; shift ;;
  --with-minio)
    with_minio=yes
    case ${2:-} in '' | -*) ;; *) minio=$2; shift ;; esac
    ;;
  --wait)
    value "$@"
    case $2 in *[!0-9]* | ?????*) misused "--wait takes seconds" ;; esac
    ready_seconds=$2
    shift
    ;;
  --restore-database) restore_database=yes ;;
  --dry-run) dry=yes ;;
  --yes) yes=yes ;;
  --help | -h) usage; exit 0 ;;
  *) misused "unknown argument $1" ;;
  esac
  shift
done
action=${action:-install}
[ -z "$purge" ] || [ "$action" = uninstall ] || misused "--purge goes with --uninstall"
[ -z "$restore_database" ] || [ "$action" = rollback ] || misused "--restore-database goes with --rollback"
case $with_minio,$action in
,* | yes,install | yes,upgrade | yes,apply) ;;
*) misused "--with-minio and --$action do not go together" ;;
esac
[ -z "$port" ] || [ -z "$listen" ] || misused "--port and --listen do not go together"
case $port in
'') ;;
*[!0-9]* | ??????*) misused "--port $port is no port" ;;
*) { [ "$port" -ge 1 ] && [ "$port" -le 65535 ]; } || misused "--port $port is no port"; listen=0.0.0.0:$port ;;
esac
case $listen in
'' | *:*[0-9]) ;;
*) misused "--listen takes HOST:PORT, for example 0.0.0.0:7600" ;;
esac
case $listen$data in *[\"\\\ ]*) misused "blanks and quotes cannot be in --data and --listen" ;; esac
case $data in
'') ;;
/home | /home/* | /root | /root/* | /run/user*)
  misused "the service cannot see $data: choose a folder outside /home and /root, for example /srv/kinomill"
  ;;
/ | /etc* | /usr* | /opt | /opt/kinomill* | /var | /var/lib | /bin* | /boot* | /dev* | /proc* | /sys* | /tmp*)
  misused "$data cannot be the data folder: choose one of its own, for example /srv/kinomill"
  ;;
/*) data=${data%/} ;;
*) misused "--data takes an absolute path" ;;
esac

# ── What this machine is ─────────────────────────────────────────────────────────────────────────────────────────

case $(uname -m) in
x86_64) arch=x64 ;;
aarch64) arch=arm64 ;;
*) fail "Kinomill has no build for $(uname -m): it needs x86-64 or ARM64." ;;
esac

field() { sed -n "s/^$1=\"\{0,1\}\([^\"]*\)\"\{0,1\}\$/\1/p" /etc/os-release 2>/dev/null | tail -n 1; }
is_debian() { case " $(field ID) $(field ID_LIKE) " in *debian* | *ubuntu*) command -v apt-get >/dev/null ;; *) false ;; esac }

# Cards are there for PCI whether or not they have a driver.
nvidia_cards() {
  cards=0
  for vendor in /sys/bus/pci/devices/*/vendor; do
    [ "$(cat "$vendor" 2>/dev/null)" = 0x10de ] || continue
    case $(cat "${vendor%vendor}class" 2>/dev/null) in 0x03*) cards=$((cards + 1)) ;; esac
  done
  printf %s "$cards"
}

gpu_nodes() {
  for node in /dev/nvidia[0-9]* /dev/nvidiactl /dev/nvidia-uvm /dev/nvidia-uvm-tools /dev/nvidia-modeset /dev/nvidia-caps; do
    if [ -e "$node" ]; then printf '%s\n' "$node"; fi
  done
}

show_machine() {
  say "System   $(field PRETTY_NAME), $(uname -m), kernel $(uname -r), $(nproc 2>/dev/null || echo ?) cores"
  if [ -n "$(gpu_nodes)" ]; then
    say "GPU      $(nvidia-smi --query-gpu=name,driver_version --format=csv,noheader 2>/dev/null | paste -sd ';' - || true)"
  elif [ "$(nvidia_cards)" != 0 ]; then
    say "GPU      $(nvidia_cards) of NVIDIA without a driver. Install it and run this again: ubuntu-drivers install, or"
    say "         apt-get install nvidia-driver. Until then Kinomill works on the CPU."
  else
    say "GPU      none of NVIDIA; Kinomill works on the CPU."
  fi
  say "ffmpeg   $(ffmpeg -version 2>/dev/null | sed -n '1s/^ffmpeg version \([^ ]*\).*/\1/p' | grep . || echo 'missing')"
}

need_root() { [ "$(id -u)" = 0 ] || fail "this needs root: sudo $0 … Nothing was changed."; }
need_systemd() {
  [ -d /run/systemd/system ] ||
    fail "systemd does not run here (a container?). Start the program itself instead: kinomill serve --help. Nothing was changed."
  version=$(systemctl --version | sed -n '1s/^systemd \([0-9]*\).*/\1/p')
  [ "${version:-0}" -ge 252 ] ||
    fail "systemd $version is too old: 252 (Debian 12, Ubuntu 24.04) or newer is needed. Nothing was changed."
}

# Files of somebody else under our names are left alone.
refuse_foreign_files() {
  for unit in kinomill.service kinomill.socket kinomill-minio.service; do
    [ ! -e "$units/$unit" ] || head -n 1 "$units/$unit" | grep -q Kinomill ||
      fail "$units/$unit is there and not Kinomill's own. Move it away first. Nothing was changed."
  done
  if [ -e "$link" ] || [ -L "$link" ]; then
    case $(readlink "$link" || true) in
    "$opt"/*) ;;
    *) fail "$link is there and not Kinomill's own. Move it away first. Nothing was changed." ;;
    esac
  fi
  if [ -d "$opt" ] && [ ! -f "$opt/install.sh" ]; then
    for entry in "$opt"/* "$opt"/.[!.]*; do
      case $entry in "$opt/.incoming"* | "$opt/*" | "$opt/.[!.]*") continue ;; esac
      fail "$opt is there with files that are not Kinomill's ($entry). Move it away first. Nothing was changed."
    done
  fi
}

install_packages() {
  [ -z "$offline" ] || fail "missing: $*. Install it from your own medium, and run this again. Nothing was changed."
  is_debian || fail "missing: $*. Install it with the package manager of this system, and run this again. Nothing was changed."
  say "Installing $* …"
  export DEBIAN_FRONTEND=noninteractive
  apt-get install -y -qq --no-install-recommends "$@" >/dev/null 2>&1 ||
    { apt-get update -qq >/dev/null 2>&1 && apt-get install -y -qq --no-install-recommends "$@" >/dev/null 2>&1; } ||
    fail "apt-get could not install $*: see apt-get install $*. Nothing was changed."
}

# ── The release ──────────────────────────────────────────────────────────────────────────────────────────────────

incoming=
# What the end of this script has to take back: a first installation, a change of versions, or nothing.
undo='' swapped='' undo_minio=''
clean_up() {
  status=$?
  trap '' INT TERM HUP
  if [ -n "$undo_minio" ]; then take_minio_back; fi
  case $undo in
  first) undo_first ;;
  change) roll_back ;;
  esac
  if [ -n "$incoming" ]; then rm -rf "$incoming"; fi
  exit $status
}

# free_kib FOLDER: of the file system that it is or would be on.
free_kib() {
  folder=$1
  while [ ! -d "$folder" ]; do folder=$(dirname "$folder"); done
  df -Pk "$folder" | awk 'NR == 2 { print $4 }'
}

need_space() {
  free=$(free_kib "$opt")
  [ "$free" -ge $needed_kib ] ||
    fail "only $((free / 1024)) MB are free for $opt; $((needed_kib / 1024)) are needed. Free some space. Nothing was changed."
}

begin_incoming() {
  need_space
  open_incoming
}

open_incoming() {
  mkdir -p "$opt"
  chmod 755 "$opt"
  rm -rf "$opt"/.incoming.*
  incoming=$opt/.incoming.$$
  mkdir "$incoming"
}

here=$(cd "$(dirname "$0")" && pwd)

# Finds the release, proves it, and unpacks it: $incoming/new is the folder of the version then, $version its name.
take_release() {
  begin_incoming
  if [ -z "$from" ] && [ -f "$here/SHA256SUMS" ]; then from=$here; fi
  if [ -z "$from" ] && [ -x "$here/script/release" ] && [ -d "$here/src" ]; then
    say "Building Kinomill from $here …"
    "$here/script/release" --quick "$incoming/release" >&2 || fail "the build failed, see above. Nothing was changed."
    from=$incoming/release
  fi
  [ -n "$from" ] || misused "say with --from where the release is"
  case $from in
  http://* | https://*)
    [ -z "$offline" ] || misused "--offline takes a folder"
    fetch_release
    ;;
  *.tar.gz) [ -f "$from" ] || fail "there is no $from"; sums=$(dirname "$from")/SHA256SUMS archive=$from ;;
  *)
    [ -d "$from" ] || fail "there is no folder $from"
    sums=$from/SHA256SUMS
    archive=$from/$(archive_in "$sums")
    ;;
  esac
  check_release
  mkdir "$incoming/new"
  tar -xzf "$archive" -C "$incoming/new" --strip-components=1 --no-same-owner 2>/dev/null ||
    fail "$(basename "$archive") cannot be unpacked: is the disk full? Nothing was changed."
  chown -R 0:0 "$incoming/new"
  version=$("$incoming/new/kinomill" version 2>/dev/null | sed -n 's/^kinomill \([^ ]*\) .*/\1/p')
  case $version in
  '') fail "the executable of the release does not run on this machine (Bun needs AVX2, which came in 2013). Nothing was changed." ;;
  *[!A-Za-z0-9.+_-]* | .* | -*) fail "the release calls itself $version, which is no version. Nothing was changed." ;;
  esac
}

archive_in() {
  [ -r "$1" ] || fail "$1 is missing: without it a release cannot be checked. Nothing was changed."
  name=$(awk '{ print $2 }' "$1" | grep -E "^kinomill-[A-Za-z0-9.+_-]*-linux-$arch\.tar\.gz$" | tail -n 1)
  [ -n "$name" ] || fail "the release has no build for $arch. Nothing was changed."
  printf %s "$name"
}

fetch() {
  if command -v curl >/dev/null; then
    curl -fsSL --retry 3 --connect-timeout 20 -o "$2" "$1"
  elif command -v wget >/dev/null; then
    wget -q -t 3 -T 20 -O "$2" "$1"
  else
    install_packages curl ca-certificates
    curl -fsSL --retry 3 --connect-timeout 20 -o "$2" "$1"
  fi
}

fetch_release() {
  say "Fetching $from …"
  sums=$incoming/SHA256SUMS
  fetch "$from/SHA256SUMS" "$sums" || fail "$from/SHA256SUMS cannot be fetched. Is the address right, is there a network? Nothing was changed."
  fetch "$from/SHA256SUMS.minisig" "$sums.minisig" || rm -f "$sums.minisig"
  name=$(archive_in "$sums")
  archive=$incoming/$name
  fetch "$from/$name" "$archive" || fail "$from/$name cannot be fetched. Is the disk full? Nothing was changed."
}

known_key() {
  if [ -n "$key" ]; then
    if [ -f "$key" ]; then sed -n '/^RW/p' "$key" | tail -n 1; else printf %s "$key"; fi
  elif [ -f "$etc/release.pub" ]; then
    sed -n '/^RW/p' "$etc/release.pub" | tail -n 1
  else
    printf %s "$release_key"
  fi
}

check_release() {
  public=$(known_key)
  if [ -n "$public" ]; then
    command -v minisign >/dev/null || install_packages minisign
    [ -f "$sums.minisig" ] || fail "the release is not signed (no SHA256SUMS.minisig), and a key is known. Refused; nothing was changed."
    minisign -Vqm "$sums" -P "$public" >/dev/null 2>&1 ||
      fail "the signature of the release is wrong: somebody else made it, or it was changed. Refused; nothing was changed."
    say "Signature good."
  else
    case $from in
    http://* | https://*)
      [ -n "$unsigned" ] ||
        fail "no key is known to check a release from the network with: give --key, or accept that with --unsigned. Nothing was changed."
      ;;
    esac
    warn "no key is known: the release is checked by its checksum alone."
  fi
  expected=$(awk -v name="$(basename "$archive")" '$2 == name || $2 == "*" name { print $1 }' "$sums")
  [ -f "$archive" ] || fail "$archive is missing. Nothing was changed."
  case $expected in ????????????????????????????????????????????????????????????????) ;;
  *) fail "SHA256SUMS does not name $(basename "$archive"). Refused; nothing was changed." ;;
  esac
  [ "$(sha256sum "$archive" | cut -c1-64)" = "$expected" ] ||
    fail "$(basename "$archive") is not what its checksum says: damaged or changed. Refused; nothing was changed."
}

# Puts the unpacked version under its name. The same bytes are not put there twice; others get a name of their own.
place_release() {
  if [ -x "$opt/$version/kinomill" ] && ! cmp -s "$incoming/new/kinomill" "$opt/$version/kinomill"; then
    version=$version-$(sha256sum "$incoming/new/kinomill" | cut -c1-8)
  fi
  if [ ! -x "$opt/$version/kinomill" ]; then
    rm -rf "${opt:?}/$version"
    sync "$incoming/new/kinomill" 2>/dev/null || sync
    mv -T "$incoming/new" "$opt/$version"
  fi
}

# ── Settings and units ───────────────────────────────────────────────────────────────────────────────────────────

current() { basename "$(readlink "$opt/current" 2>/dev/null || true)"; }
previous() { basename "$(readlink "$opt/previous" 2>/dev/null || true)"; }
# point NAME VERSION, in one move.
point() {
  ln -s "$2" "$opt/.$1.$$"
  mv -fT "$opt/.$1.$$" "$opt/$1"
}

# setting NAME VERSION: as that version understands the settings. Newer ones say behind a value where it comes from.
setting() {
  "$opt/$2/kinomill" config check --list --config "$etc/config.toml" 2>/dev/null |
    sed -n "s/^$1 = \"\([^\"]*\)\".*\$/\1/p"
}

# set_setting NAME VALUE in the file, where it stands at the beginning of a line or nowhere.
set_setting() {
  new=$etc/.config.toml.$$
  if grep -q "^$1 *=" "$etc/config.toml"; then
    sed "s|^$1 *=.*|$1 = \"$2\"|" "$etc/config.toml" >"$new"
  else
    { printf '%s = "%s"\n' "$1" "$2" && cat "$etc/config.toml"; } >"$new"
  fi
  chmod 644 "$new"
  mv -f "$new" "$etc/config.toml"
}

write_settings() {
  mkdir -p "$etc/credentials"
  chmod 755 "$etc"
  chmod 700 "$etc/credentials"
  if [ ! -f "$etc/config.toml" ]; then
    {
      printf '# Written by install.sh, and yours from now on: it is kept by upgrades. After a change:\n'
      printf '#   kinomill config check && sudo systemctl restart kinomill\n'
      printf '# After a change of listen or data: sudo %s/install.sh --apply\n' "$opt"
      printf '\n'
      "$opt/$version/kinomill" config check --sample | sed -e "s|^# data = .*|data = \"${data:-$own_data}\"|" \
        -e "s|^# listen = .*|listen = \"${listen:-0.0.0.0:7600}\"|"
    } >"$etc/.config.toml.$$"
    chmod 644 "$etc/.config.toml.$$"
    mv "$etc/.config.toml.$$" "$etc/config.toml"
  else
    if [ -n "$listen" ]; then set_setting listen "$listen"; fi
    if [ -n "$data" ]; then set_setting data "$data"; fi
  fi
  if [ -n "$(known_key)" ]; then
    printf 'untrusted comment: releases of Kinomill\n%s\n' "$(known_key)" >"$etc/release.pub"
  fi
}

check_settings() {
  [ -f "$etc/config.toml" ] || return 0
  "$opt/$1/kinomill" config check --config "$etc/config.toml" >"$incoming/said" 2>&1 || {
    cat "$incoming/said" >&2
    fail "Kinomill $1 does not accept $etc/config.toml, see above. Mend it and run this again. Nothing was changed."
  }
}

# Units and drop-ins of a version; those that a person made with "systemctl edit" are not touched.
write_units() {
  data_folder=$(setting data "$1")
  mkdir -p "$units/kinomill.service.d" "$units/kinomill.socket.d"
  for unit in kinomill.service kinomill.socket; do
    cp "$opt/$1/systemd/$unit" "$units/.$unit.$$"
    chmod 644 "$units/.$unit.$$"
    mv -f "$units/.$unit.$$" "$units/$unit"
  done
  {
    printf '# Written by install.sh from listen in %s/config.toml.\n[Socket]\nListenStream=\nListenStream=%s\n' \
      "$etc" "$(setting listen "$1")"
  } >"$units/kinomill.socket.d/listen.conf"
  if [ "$data_folder" = $own_data ]; then
    rm -f "$units/kinomill.service.d/data.conf"
  else
    make_data_folder
    {
      printf '# Written by install.sh from data in %s/config.toml.\n' "$etc"
      printf '[Unit]\nRequiresMountsFor=%s\n[Service]\nReadWritePaths=%s\n' "$data_folder" "$data_folder"
    } >"$units/kinomill.service.d/data.conf"
  fi
  if [ -f "$minio_unit" ] && [ -f "$opt/$1/systemd/kinomill-minio.service" ]; then write_minio_unit "$1" "$(minio_of_unit)"; fi
  write_gpu_rules
  systemctl daemon-reload
}

# A folder outside /var/lib belongs to a user that stays, because others may share it.
make_data_folder() {
  if ! getent passwd kinomill >/dev/null; then
    useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin kinomill ||
      fail "cannot make the user kinomill for $data_folder"
  fi
  [ -d "$data_folder" ] || { mkdir -p "$data_folder" && chmod 700 "$data_folder"; }
  chown kinomill: "$data_folder" ||
    fail "$data_folder cannot be given to the user kinomill (on NFS: no_root_squash). Choose another folder with --data."
}

# The unit shows no devices but these. Their numbers are given by the driver at each start of the machine.
write_gpu_rules() {
  file=$units/kinomill.service.d/gpu.conf
  if [ -z "$(gpu_nodes)" ] && [ "$(nvidia_cards)" = 0 ]; then
    rm -f "$file"
    return 0
  fi
  {
    printf '# Written by install.sh: the GPUs that were found. After a change of cards: sudo %s/install.sh --apply\n' "$opt"
    printf '[Service]\n'
    if command -v nvidia-modprobe >/dev/null; then
      printf '# The nodes must be there before the service is confined.\nExecStartPre=+-%s -c0 -u\n' "$(command -v nvidia-modprobe)"
    fi
    for node in $(gpu_nodes); do printf 'BindPaths=-%s\n' "$node"; done
    case $(gpu_nodes) in
    *nvidiactl*) ;;
    *) for name in nvidia0 nvidiactl nvidia-uvm nvidia-uvm-tools; do printf 'BindPaths=-/dev/%s\n' $name; done ;;
    esac
    printf 'DeviceAllow=char-nvidia* rw\nDeviceAllow=char-nvidia-uvm rw\nDeviceAllow=char-nvidia-caps rw\n'
    for node in $(gpu_nodes); do [ ! -c "$node" ] || printf 'DeviceAllow=%s rw\n' "$node"; done
  } >"$file"
}

# ── The S3 server ────────────────────────────────────────────────────────────────────────────────────────────────

minio_of_unit() { sed -n 's/^ExecStart=\([^ ]*\) .*/\1/p' "$minio_unit" 2>/dev/null; }

# write_minio_unit VERSION PROGRAM
write_minio_unit() {
  sed "s|/usr/local/bin/minio|$2|" "$opt/$1/systemd/kinomill-minio.service" >"$units/.kinomill-minio.service.$$"
  chmod 644 "$units/.kinomill-minio.service.$$"
  mv -f "$units/.kinomill-minio.service.$$" "$minio_unit"
}

# Something listens where it would: local addresses and ports in state 0A (listening), as the kernel lists them in hexadecimal.
minio_port_taken() {
  cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk '
    $4 == "0A" && $2 ~ /^(00000000|0100007F|00000000000000000000000000000000|0000000000000000FFFF00000100007F):2328$/ { taken = 1 }
    END { exit !taken }'
}

# Finds the program and the port, and says what is missing, before anything is changed.
look_for_minio() {
  # The settings of an installation before may name the server that went with it.
  if [ ! -f "$minio_unit" ] && grep -q '^secretAccessKeyFile *= *"credential:minio"' "$etc/config.toml" 2>/dev/null; then
    with_minio=yes
  fi
  [ -n "$with_minio" ] || return 0
  if [ -n "$minio" ]; then
    [ -f "$minio" ] || fail "there is no program $minio. Nothing was changed."
    minio=$(cd "$(dirname "$minio")" && pwd)/$(basename "$minio")
  else
    for minio in "$(minio_of_unit)" "$(command -v minio || true)" /usr/local/bin/minio ''; do
      [ ! -f "$minio" ] || break
    done
  fi
  case $arch in x64) kind=amd64 ;; *) kind=arm64 ;; esac
  [ -n "$minio" ] ||
    fail "there is no MinIO on this machine. Fetch https://dl.min.io/server/minio/release/linux-$kind/minio and minio.sha256sum beside it, compare, put it in its place (sudo install -m 755 minio /usr/local/bin/minio), and run this again. Nothing was changed."
  case $minio in
  /home/* | /root/* | /run/user/* | /tmp/* | /var/tmp/* | /dev/* | *[!A-Za-z0-9/._+-]*)
    fail "the service cannot see $minio: put it in its place (sudo install -m 755 '$minio' /usr/local/bin/minio), and run this again. Nothing was changed."
    ;;
  esac
  case $("$minio" --version 2>/dev/null || true) in
  minio*) ;;
  *) fail "$minio does not run, or is no MinIO: chmod 755, and the build for linux-$kind. Nothing was changed." ;;
  esac
  if minio_port_taken && [ "$(systemctl is-active kinomill-minio.service 2>/dev/null)" != active ]; then
    fail "another program listens on port 9000 (sudo ss -ltnp names it), where MinIO would. Nothing was changed."
  fi
}

# On a machine with a proxy, too, this is asked of the machine itself.
ask_minio() {
  NO_PROXY=127.0.0.1 no_proxy=127.0.0.1 fetch "http://$minio_address/minio/health/ready" /dev/null 2>/dev/null
}

make_minio_bucket() {
  NO_PROXY=127.0.0.1 no_proxy=127.0.0.1 KINOMILL_STORAGE_KIND=s3 KINOMILL_STORAGE_S3_ENDPOINT=http://$minio_address \
    KINOMILL_STORAGE_S3_REGION=us-east-1 KINOMILL_STORAGE_S3_BUCKET=kinomill KINOMILL_STORAGE_S3_PATH_STYLE=true \
    KINOMILL_STORAGE_S3_ACCESS_KEY_ID=kinomill KINOMILL_STORAGE_S3_SECRET_ACCESS_KEY='' \
    KINOMILL_STORAGE_S3_SECRET_ACCESS_KEY_FILE=$minio_secret "$opt/$version/kinomill" storage create-bucket
}

# Starts the server and makes the bucket. Until Kinomill has been started with it, clean_up takes all of it back.
set_up_minio() {
  [ -n "$with_minio" ] || return 0
  command -v curl >/dev/null || command -v wget >/dev/null || install_packages curl
  say "Setting up MinIO ($minio) …"
  minio_is_new='' minio_data_is_new='' minio_secret_is_new='' minio_used=''
  if [ -f "$minio_unit" ]; then cp "$minio_unit" "$incoming/kinomill-minio.service"; else minio_is_new=yes; fi
  [ -e "$minio_data" ] || [ -e "/var/lib/private/${minio_data##*/}" ] || minio_data_is_new=yes
  undo_minio=yes
  if [ ! -s "$minio_secret" ]; then
    minio_secret_is_new=yes
    mkdir -p "$etc/credentials"
    chmod 700 "$etc/credentials"
    (umask 077 && od -An -v -tx1 -N24 /dev/urandom | tr -d ' \n' >"$minio_secret.part" && mv "$minio_secret.part" "$minio_secret")
  fi
  write_minio_unit "$version" "$minio"
  systemctl daemon-reload
  systemctl enable kinomill-minio.service >/dev/null 2>&1
  began=$(date +%s)
  cmp -s "$minio_unit" "$incoming/kinomill-minio.service" || systemctl stop kinomill-minio.service
  systemctl start kinomill-minio.service >/dev/null 2>&1 || minio_failed "does not start"
  give_up=$((began + ready_seconds))
  until ask_minio; do
    [ "$(date +%s)" -lt $give_up ] || minio_failed "does not become ready"
    sleep 0.2
  done
  said=$(make_minio_bucket 2>&1) || {
    printf '%s\n' "$said" >&2
    minio_failed "does not make the bucket"
  }
}

minio_failed() {
  journalctl -u kinomill-minio --since "@$began" -n 20 --no-pager -o cat >&2 || true
  fail "MinIO $1, see above. What was begun of it is taken back, and the storage is the one of before."
}

# Names the bucket in the settings. Those of somebody about storage stay: what they say is where their files lie.
name_storage() {
  storage_named=''
  [ -n "$with_minio" ] || return 0
  listed=$("$opt/$version/kinomill" config check --list --config "$etc/config.toml" 2>/dev/null |
    grep -E '^storage\.(kind|s3\.[A-Za-z]+) = ' | grep -v '# default$' || true)
  case $listed in
  '') ;;
  *credential:minio*) return 0 ;;
  *)
    warn "$etc/config.toml has settings of storage, which stay. docs/storage.md says how MinIO is named in it."
    return 0
    ;;
  esac
  cp -p "$etc/config.toml" "$incoming/config.toml"
  awk -v endpoint="http://$minio_address" '
    function kind() { print "kind = \"s3\"" ; has_kind = 1 }
    function s3() {
      print "# The MinIO of this machine, set up by install.sh --with-minio. Others do not reach it, so all bytes pass through Kinomill."
      print "endpoint = \"" endpoint "\""
      print "bucket = \"kinomill\"\naccessKeyId = \"kinomill\"\nsecretAccessKeyFile = \"credential:minio\"\ndirect = false\n"
      has_s3 = 1
    }
    { print }
    /^\[storage\][ \t]*(#.*)?$/ { kind() }
    /^\[storage\.s3\][ \t]*(#.*)?$/ { s3() }
    END {
      if (!has_kind) { print "\n[storage]"; kind() }
      if (!has_s3) { print "\n[storage.s3]"; s3() }
    }' "$incoming/config.toml" >"$etc/.config.toml.$$"
  chmod 644 "$etc/.config.toml.$$"
  mv -f "$etc/.config.toml.$$" "$etc/config.toml"
  storage_named=yes
}

take_minio_back() {
  undo_minio=''
  if [ -n "${storage_named:-}" ]; then mv -f "$incoming/config.toml" "$etc/config.toml"; fi
  if [ -z "$minio_is_new" ]; then
    cmp -s "$incoming/kinomill-minio.service" "$minio_unit" && return 0
    mv -f "$incoming/kinomill-minio.service" "$minio_unit"
    systemctl daemon-reload
    systemctl restart --no-block kinomill-minio.service >/dev/null 2>&1 || true
    return 0
  fi
  remove_minio
  if [ -z "$minio_used" ]; then
    [ -z "$minio_data_is_new" ] || remove_minio_data
    [ -z "$minio_secret_is_new" ] || rm -f "$minio_secret" "$minio_secret.part"
    rmdir "$etc/credentials" "$etc" 2>/dev/null || true
  fi
}

remove_minio() {
  [ -f "$minio_unit" ] || return 0
  systemctl disable --now kinomill-minio.service >/dev/null 2>&1 || true
  rm -f "$minio_unit"
  systemctl daemon-reload
  systemctl reset-failed kinomill-minio.service >/dev/null 2>&1 || true
}

remove_minio_data() { rm -rf "$minio_data" "/var/lib/private/${minio_data##*/}"; }

# ── One version after another ────────────────────────────────────────────────────────────────────────────────────

boot() { cat /proc/sys/kernel/random/boot_id; }
data_of() { found=$(setting data "$1") && printf %s "${found:-$own_data}"; }
saved_of() { printf '%s/upgrades/from-%s' "$(data_of "$(current)")" "$1"; }

# Proves beside the running version that the new one can take over: settings, a small film, a copy of the database.
rehearse() {
  check_settings "$1"
  if ! "$opt/$1/kinomill" selftest --quick --config "$etc/config.toml" >"$incoming/said" 2>&1; then
    if [ -n "$2" ] && "$opt/$2/kinomill" selftest --quick --config "$etc/config.toml" >/dev/null 2>&1; then
      cat "$incoming/said" >&2
      fail "Kinomill $1 fails its self-test here, and $2 does not. $2 goes on running."
    fi
    warn "the self-test of $1 failed, as that of the version before does:"
    cat "$incoming/said" >&2
  fi
  if [ -z "$2" ]; then return 0; fi
  database=$(data_of "$2")/kinomill.sqlite
  [ -f "$database" ] || return 0
  trial=$(data_of "$2")/.rehearsal
  rm -rf "$trial"
  mkdir -m 700 "$trial" || fail "$(data_of "$2") cannot be written to: is the disk full? $2 goes on running."
  said=$(KINOMILL_BACKUP_FOLDER=$trial "$opt/$2/kinomill" backup now --config "$etc/config.toml" 2>&1) || {
    rm -rf "$trial"
    fail "the database could not be copied for a rehearsal: $said. $2 goes on running."
  }
  copy=$(find "$trial" -name 'kinomill-*.sqlite' | head -n 1)
  said=$(KINOMILL_STORAGE_KIND=disk "$opt/$1/kinomill" restore "$copy" --config "$etc/config.toml" --data "$trial/data" 2>&1) || {
    rm -rf "$trial"
    rehearsal_said=$said
    return 1
  }
  rm -rf "$trial"
}

private_folder() { mkdir -p "$1" && chmod 700 "$1"; }

save_database() {
  folder=$(data_of "$1") saved=$(saved_of "$1")
  rm -rf "$saved"
  [ -f "$folder/kinomill.sqlite" ] || return 0
  rm -rf "$saved.part"
  private_folder "$(dirname "$saved")" && private_folder "$saved.part" || return 1
  for ending in '' -wal -shm; do
    [ ! -f "$folder/kinomill.sqlite$ending" ] || cp -p "$folder/kinomill.sqlite$ending" "$saved.part/" || return 1
  done
  sync
  mv -T "$saved.part" "$saved" || return 1
}

# Brings the database of before the upgrade back; the present one is kept.
restore_saved() {
  folder=$(data_of "$1") saved=$(saved_of "$1")
  [ -f "$saved/kinomill.sqlite" ] || return 1
  aside=$folder/upgrades/aside-$(date -u +%Y-%m-%dT%H-%M-%SZ)
  private_folder "$(dirname "$aside")" && private_folder "$aside" || return 1
  for ending in '' -wal -shm; do
    [ ! -f "$folder/kinomill.sqlite$ending" ] || cp -p "$folder/kinomill.sqlite$ending" "$aside/"
    if [ -f "$saved/kinomill.sqlite$ending" ]; then
      cp -p "$saved/kinomill.sqlite$ending" "$folder/.kinomill.sqlite.back$ending"
    fi
  done
  # The log of another database must not be beside it for a moment.
  rm -f "$folder/kinomill.sqlite-wal" "$folder/kinomill.sqlite-shm"
  for ending in -wal -shm ''; do
    [ ! -f "$folder/.kinomill.sqlite.back$ending" ] || mv -f "$folder/.kinomill.sqlite.back$ending" "$folder/kinomill.sqlite$ending"
  done
  sync
  say "The database of before is back; the one of the failed version is kept in $aside"
}

# readable VERSION: the service is stopped, and that version can open the database as it is now.
readable() {
  [ -f "$(data_of "$1")/kinomill.sqlite" ] || return 0
  "$opt/$1/kinomill" users list --config "$etc/config.toml" >/dev/null 2>&1
}

# mark OLD NEW PHASE, with what was the version before OLD: while it is "changing", no version starts; while it is "trying", NEW does.
mark() {
  printf 'old=%s\nnew=%s\nprevious=%s\nphase=%s\npid=%s\nboot=%s\n' "$1" "$2" "$older" "$3" $$ "$(boot)" >"$marker.part"
  if [ -n "$swapped" ]; then echo swapped=yes >>"$marker.part"; fi
  sync "$marker.part" 2>/dev/null || sync
  mv -f "$marker.part" "$marker"
  sync "$opt" 2>/dev/null || sync
}
marked() { sed -n "s/^$1=//p" "$marker" 2>/dev/null; }

# Back to the version before, from whatever point: nothing runs, and nothing is started here.
take_back() {
  old=$(marked old)
  [ -n "$old" ] && [ -x "$opt/$old/kinomill" ] || return 1
  point current "$old"
  # It is another when all was done but for the marker. Empty: there was none.
  older=$(marked previous)
  if [ -n "$older" ] && [ -x "$opt/$older/kinomill" ]; then point previous "$older"; fi
  if grep -q '^previous=$' "$marker"; then rm -f "$opt/previous"; fi
  for unit in kinomill.service kinomill.socket; do
    cp "$opt/$old/systemd/$unit" "$units/.$unit.$$" && mv -f "$units/.$unit.$$" "$units/$unit"
  done
  if [ "$(marked swapped)" = yes ] || ! readable "$old"; then
    restore_saved "$old" || warn "the database that $old had is not there"
  fi
  rm -f "$marker"
  sync
}

# What commands of root left in the data folder (a restored database) belongs to the service again.
give_files_back() {
  folder=$(sed -n 's/^data *= *"\(.*\)".*/\1/p' "$etc/config.toml" 2>/dev/null | head -n 1)
  folder=${folder:-$own_data}
  if [ -d "$folder" ]; then
    find "$folder/" -maxdepth 2 -user root -exec chown --no-dereference --reference="$folder/" {} + 2>/dev/null || true
  fi
}

at_work() {
  [ "$(marked boot)" = "$(boot)" ] && grep -aq install "/proc/$(marked pid)/cmdline" 2>/dev/null
}

# The unit calls this before each start. The first connection that comes after a stop starts the service again: it has to
# wait until the installer has saved the database and changed the version. What an installer that is gone left is finished.
settle() {
  give_files_back
  while [ "$(marked phase)" = changing ] && at_work; do sleep 0.1; done
  if [ ! -f "$marker" ] || at_work; then return 0; fi
  old=$(marked old) new=$(marked new)
  take_back && say "The upgrade from $old to $new was interrupted: $old goes on."
}

roll_back() {
  undo=
  old=$(marked old) new=$(marked new)
  warn "going back from $new to $old …"
  if [ "$(marked swapped)" = yes ]; then swapped=yes; fi
  mark "$old" "$new" changing
  systemctl stop kinomill.service >/dev/null 2>&1 || true
  if take_back; then
    systemctl daemon-reload
    systemctl reset-failed kinomill.service kinomill.socket >/dev/null 2>&1 || true
    systemctl start kinomill.socket >/dev/null 2>&1 || true
    systemctl start --no-block kinomill.service >/dev/null 2>&1 || true
    # It is known to work: what --wait gives to the new one is no measure for it.
    ready_seconds=$back_seconds
    if wait_ready "$old"; then warn "Kinomill $old runs again, as before."; else
      warn "Kinomill $old does not become ready: see journalctl -u kinomill"
    fi
  fi
}

# wait_ready VERSION [EYES]: by the eyes of a version that is known to work, where there is one.
wait_ready() {
  eyes=${2:-$1}
  give_up=$(($(date +%s) + ready_seconds))
  until "$opt/$eyes/kinomill" ready --wait 2 --config "$etc/config.toml" >"$opt/.said" 2>&1; do
    [ "$(date +%s)" -lt $give_up ] || return 1
    # Ended for good, or started again and again.
    case $(systemctl is-active kinomill.service || true) in failed | inactive) return 1 ;; esac
    restarts=$(systemctl show --property=NRestarts --value kinomill.service)
    [ "${restarts:-0}" -lt 5 ] || return 1
  done
}

# switch_to NEW OLD: the running one is OLD. Connections wait meanwhile in the queue of kinomill.socket.
switch_to() {
  swapped='' older=$(previous)
  mark "$2" "$1" changing
  undo=change
  say "Changing from $2 to $1 …"
  if ! try_version "$1" "$2"; then
    [ ! -f "$opt/.said" ] || cat "$opt/.said" >&2
    fail "Kinomill $1 did not become ready. What it said: journalctl -u kinomill"
  fi
  point previous "$2"
  rm -f "$marker"
  sync
  undo=
  forget_old_versions "$1" "$2"
}

try_version() {
  rm -f "$opt/.said"
  systemctl stop kinomill.service >/dev/null 2>&1 || return 1
  save_database "$2" || { warn "the database could not be saved: is the disk full?" && return 1; }
  if [ -n "$restore_database" ]; then
    swapped=yes
    mark "$2" "$1" changing
    restore_saved "$1" || return 1
  fi
  cp "$opt/$1/install.sh" "$opt/.install.sh.$$" && chmod 755 "$opt/.install.sh.$$" || return 1
  mv -f "$opt/.install.sh.$$" "$opt/install.sh" || return 1
  port_before=$(cat "$units/kinomill.socket" "$units/kinomill.socket.d/listen.conf" 2>/dev/null)
  write_units "$1" || return 1
  if [ "$port_before" != "$(cat "$units/kinomill.socket" "$units/kinomill.socket.d/listen.conf")" ]; then
    systemctl stop kinomill.socket || return 1
  fi
  point current "$1" || return 1
  mark "$2" "$1" trying
  systemctl start kinomill.socket >/dev/null 2>&1 || return 1
  # Its own readiness may never come: whether it is ready is asked below.
  systemctl start --no-block kinomill.service >/dev/null 2>&1 || return 1
  wait_ready "$1" "$2"
}

# Two are kept: the one that runs, and the one to go back to.
forget_old_versions() {
  for folder in "$opt"/*/; do
    name=$(basename "$folder")
    case $name in "$1" | "$2" | current | previous) continue ;; esac
    rm -rf "${opt:?}/$name" "$(saved_of "$name")"
  done
}

first_install() {
  cp "$opt/$version/install.sh" "$opt/install.sh"
  chmod 755 "$opt/install.sh"
  write_settings
  name_storage
  check_settings "$version"
  write_units "$version"
  minio_used=yes
  point current "$version"
  ln -sfn "$opt/current/kinomill" $link
  said=$(systemctl enable --now kinomill.socket 2>&1) || {
    address=$(setting listen "$version")
    warn "$said"
    fail "Kinomill cannot listen on $address: another program uses the port (ss -ltnp), or the address is not this machine's. Choose another with --port. Nothing is left of the attempt but $etc."
  }
  systemctl enable kinomill.service >/dev/null 2>&1
  systemctl start --no-block kinomill.service
  if wait_ready "$version"; then return 0; fi
  if [ "$(systemctl is-active kinomill.service || true)" != active ]; then
    journalctl -u kinomill -n 20 --no-pager -o cat >&2 || true
    fail "the service does not start, see above. Nothing is left of the attempt but $etc and the data."
  fi
  cat "$opt/.said" >&2
  warn "Kinomill runs, but is not ready yet: see above. It goes on by itself when that is mended."
}

undo_first() {
  undo=
  systemctl disable --now kinomill.service kinomill.socket >/dev/null 2>&1 || true
  remove_programs
}

remove_programs() {
  rm -f "$units/kinomill.service" "$units/kinomill.socket" "$units/kinomill.socket.d/listen.conf" \
    "$units/kinomill.service.d/gpu.conf" "$units/kinomill.service.d/data.conf" $link
  rmdir "$units/kinomill.service.d" "$units/kinomill.socket.d" 2>/dev/null || true
  systemctl daemon-reload
  systemctl reset-failed kinomill.service kinomill.socket >/dev/null 2>&1 || true
  rm -rf $opt
}

# ── Actions ──────────────────────────────────────────────────────────────────────────────────────────────────────

addresses() {
  address=$(setting listen "$1")
  host=${address%:*} number=${address##*:}
  case $(setting tls.mode "$1") in '' | off) scheme=http ;; *) scheme=https ;; esac
  case $host in
  0.0.0.0 | '[::]')
    found=$(hostname -I 2>/dev/null || true)
    for ip in $found; do case $ip in *:*) ;; *) printf '         %s://%s:%s/\n' "$scheme" "$ip" "$number" ;; esac done
    [ -n "$found" ] || printf '         %s://localhost:%s/\n' "$scheme" "$number"
    ;;
  *) printf '         %s://%s/\n' "$scheme" "$address" ;;
  esac
}

show_result() {
  say ""
  say "Kinomill $1 runs. Open"
  addresses "$1"
  code=$(journalctl _SYSTEMD_INVOCATION_ID="$(systemctl show -P InvocationID kinomill)" -o cat --no-pager 2>/dev/null |
    sed -n 's/.*enter the setup code: //p' | tail -n 1)
  if [ -n "$code" ]; then say "and enter the setup code: $code"; fi
  say ""
  "$opt/current/kinomill" doctor --config "$etc/config.toml" || true
  say ""
  if [ -n "${before:-}" ] && [ -n "${storage_named:-}" ]; then
    say "New files go to MinIO. Those that are on the disk are read there; kinomill storage migrate --to s3 brings them over."
  fi
  say "Settings $etc/config.toml    log: journalctl -u kinomill    upgrade: $opt/install.sh --upgrade --from …"
}

say_minio() {
  say "start kinomill-minio.service ($minio, for this machine alone at $minio_address, its files in $minio_data),"
  say "make the bucket kinomill there and name it in $etc/config.toml where that says nothing of storage,"
}

install_or_upgrade() {
  before=$(current)
  [ "$action" != upgrade ] || [ -n "$before" ] || fail "nothing is installed that could be upgraded. Nothing was changed."
  show_machine
  look_for_minio
  if [ -n "$dry" ]; then
    say ""
    say "Would take the release from ${from:-$here}, check it, put it into $opt/VERSION,"
    command -v ffmpeg >/dev/null || say "install ffmpeg from the distribution,"
    if [ -n "$with_minio" ]; then say_minio; fi
    if [ -n "$before" ]; then say "try it beside $before, back up the database, change over, and go back if it is not ready in $ready_seconds s."; else
      say "write $etc/config.toml (${listen:-0.0.0.0:7600}, ${data:-$own_data}), and start kinomill.socket and kinomill.service."
    fi
    exit 0
  fi
  refuse_foreign_files
  take_release
  if ! command -v ffmpeg >/dev/null || ! command -v ffprobe >/dev/null; then install_packages ffmpeg; fi
  place_release
  if [ -z "$before" ]; then undo=first; fi
  set_up_minio
  if [ -z "$before" ]; then
    first_install
    undo=
  elif [ "$before" = "$version" ]; then
    say "Kinomill $version is installed already."
    apply
  else
    rehearse "$version" "$before" || {
      printf '%s\n' "$rehearsal_said" >&2
      fail "Kinomill $version cannot go on with the database of $before, see above. $before goes on running."
    }
    write_settings
    switch_to "$version" "$before"
    if [ -n "$with_minio" ]; then apply; fi
  fi
  undo_minio=''
  show_result "$(current)"
}

# --apply: the units anew, and what else is asked for.
apply_anew() {
  version=$(current)
  [ -n "$version" ] || fail "nothing is installed."
  look_for_minio
  if [ -n "$dry" ]; then
    say "Would write the units of $version anew,"
    if [ -n "$with_minio" ]; then say_minio; fi
    say "and restart what has changed."
    exit 0
  fi
  open_incoming
  set_up_minio
  apply
  undo_minio=''
}

apply() {
  write_settings
  name_storage
  check_settings "$version"
  minio_used=yes
  before=$(cat "$units"/kinomill.s* "$units"/kinomill.s*.d/*.conf 2>/dev/null | sha256sum)
  write_units "$version"
  ln -sfn "$opt/current/kinomill" $link
  systemctl enable kinomill.socket kinomill.service >/dev/null 2>&1
  if [ "$before" != "$(cat "$units"/kinomill.s* "$units"/kinomill.s*.d/*.conf 2>/dev/null | sha256sum)" ] || [ -n "$listen$data$storage_named" ]; then
    systemctl stop kinomill.service kinomill.socket
  fi
  systemctl start kinomill.socket kinomill.service ||
    fail "the service does not start: see journalctl -u kinomill -u kinomill.socket. Is another program using the port?"
  wait_ready "$version" || {
    cat "$opt/.said" >&2
    warn "Kinomill runs, but is not ready: see above."
  }
}

go_back() {
  now=$(current) before=$(previous)
  [ -n "$now" ] || fail "nothing is installed."
  { [ -n "$before" ] && [ -x "$opt/$before/kinomill" ]; } || fail "there is no version before $now to go back to."
  if [ -n "$dry" ]; then say "Would go back from $now to $before."; exit 0; fi
  begin_incoming
  if rehearse "$before" "$now"; then
    restore_database=
  elif [ -z "$restore_database" ]; then
    printf '%s\n' "$rehearsal_said" >&2
    fail "Kinomill $before cannot read the database of $now. With --restore-database it gets its own of before the upgrade; what was done since is kept aside, but not in it. $now goes on running."
  elif [ ! -f "$(saved_of "$before")/kinomill.sqlite" ]; then
    fail "the database of before the upgrade is not in $(saved_of "$before") any more. $now goes on running."
  fi
  switch_to "$before" "$now"
  show_result "$before"
}

uninstall() {
  version=$(current)
  if [ -n "$version" ]; then data_folder=$(data_of "$version"); else data_folder=$own_data; fi
  if [ -n "$dry" ]; then
    minio=''
    if [ -f "$minio_unit" ]; then minio=' kinomill-minio.service,'; fi
    minio_too=''
    if [ -e "$minio_data" ]; then minio_too=", $minio_data"; fi
    say "Would stop and remove kinomill.service, kinomill.socket,$minio $opt and $link${purge:+, and with them $etc, $data_folder$minio_too}."
    exit 0
  fi
  refuse_foreign_files
  if [ -n "$purge" ] && [ -z "$yes" ] && [ -t 0 ]; then
    printf 'This deletes %s and everything in %s. Type yes to go on: ' "$etc" "$data_folder$([ ! -e "$minio_data" ] || printf ' and %s' "$minio_data")"
    read -r answer
    [ "$answer" = yes ] || fail "nothing was changed."
  fi
  systemctl disable --now kinomill.service kinomill.socket >/dev/null 2>&1 || true
  remove_minio
  remove_programs
  if [ -n "$purge" ]; then
    purge_data
    remove_minio_data
    rm -rf $etc "$units/kinomill-minio.service.d" "$units/kinomill.service.d" "$units/kinomill.socket.d"
    if getent passwd kinomill >/dev/null && [ "$data_folder" != $own_data ]; then userdel kinomill 2>/dev/null || true; fi
    say "Kinomill, its settings and its data are removed."
  else
    say "Kinomill is removed. Its settings are in $etc, its data in $data_folder$([ ! -e "$minio_data" ] || printf ' and %s' "$minio_data")."
  fi
}

# Only what Kinomill made: somebody may have put more into the folder.
purge_data() {
  if [ "$data_folder" = $own_data ]; then
    rm -rf $own_data /var/lib/private/kinomill
    return 0
  fi
  for name in kinomill.sqlite kinomill.sqlite-wal kinomill.sqlite-shm server.json server.lock server.lock-journal \
    secrets.key tls toolchain.json storage uploads imports work thumbnails cache backups upgrades .rehearsal; do
    rm -rf "${data_folder:?}/$name"
  done
  rm -rf "$data_folder"/before-restore-*
  rmdir "$data_folder" 2>/dev/null || say "What is left in $data_folder is not Kinomill's."
}

status() {
  version=$(current)
  [ -n "$version" ] || fail "nothing is installed."
  say "Kinomill $version, before it ${version:+$(previous)}"
  if [ -f "$minio_unit" ]; then say "MinIO: $(systemctl is-active kinomill-minio.service || true)"; fi
  "$opt/current/kinomill" ready --config "$etc/config.toml"
}

trap 'exit 130' INT TERM HUP
trap clean_up EXIT
case $action in
settle) settle ;;
status) status ;;
*)
  if [ -n "$dry" ]; then
    "$(case $action in install | upgrade) echo install_or_upgrade ;; rollback) echo go_back ;; apply) echo apply_anew ;; *) echo uninstall ;; esac)"
    exit 0
  fi
  need_root
  need_systemd
  mkdir -p /run/lock
  exec 9>/run/lock/kinomill-install
  flock -n 9 || fail "another install.sh is at work. Wait for its end."
  settle
  case $action in
  install | upgrade) install_or_upgrade ;;
  rollback) go_back ;;
  apply) apply_anew ;;
  uninstall) uninstall ;;
  esac
  ;;
esac
