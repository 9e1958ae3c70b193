#!/usr/bin/env bash
# Install the class server on a bare Debian (12 or later) or Ubuntu (24.04 or later). Run it as root
# in a checkout of the course; run it again after a change, or to add students.
set -euo pipefail

usage() {
  cat <<'WORDS'
Usage: hub/class_server/install.sh [--students FILE] [--instructor NAME] [--caddy] [--skip STEP]... [--dry-run]

  --students FILE    one user name a line; users that exist are left alone
  --instructor NAME  who owns course and exchange (instructor)
  --caddy            install Caddy as a reverse proxy with TLS; write the machine's name into
                     /etc/caddy/Caddyfile afterwards
  --skip STEP        leave a step out: packages, environment, users, folders, settings, services
  --dry-run          print what would be done, change nothing

Example: hub/class_server/install.sh --students students.txt --caddy
WORDS
}

die() { echo "install: $*" >&2; exit 1; }

students=""
instructor="instructor"
caddy=""
dry=""
skipped=" "
while [ $# -gt 0 ]; do
  case "$1" in
    --students) students="${2:-}"; [ -n "$students" ] || die "--students needs a file"; shift ;;
    --instructor) instructor="${2:-}"; shift ;;
    --caddy) caddy=1 ;;
    --skip) skipped="$skipped${2:-} "; shift ;;
    --dry-run) dry=1 ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; die "unknown option: $1" ;;
  esac
  shift
done

root=/opt/course-hub
venv=$root/venv
state=/var/lib/course-hub
settings=/etc/course-hub/settings.toml
exchange=/srv/nbgrader/exchange
source="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
name='^[a-z_][a-z0-9_-]{0,30}$'

[[ "$instructor" =~ $name ]] || die "no name for a user: '$instructor'"
people=()
if [ -n "$students" ]; then
  [ -r "$students" ] || die "cannot read $students: expected a file with one user name a line"
  while read -r student _ || [ -n "$student" ]; do
    case "$student" in "" | "#"*) continue ;; esac
    [[ "$student" =~ $name ]] || die "no name for a user in $students: '$student'"
    people+=("$student")
  done <"$students"
fi
if [ -z "$dry" ]; then
  [ "$(id -u)" = 0 ] || die "run this as root: sudo $0"
  command -v apt-get >/dev/null || die "this is for Debian or Ubuntu: there is no apt-get"
fi

run() {
  if [ -n "$dry" ]; then
    printf '+'
    printf ' %q' "$@"
    printf '\n'
  else
    "$@"
  fi
}
say() { printf '\n== %s\n' "$*"; }
wanted() { [[ "$skipped" != *" $1 "* ]]; }
has_user() { getent passwd "$1" >/dev/null; }
has_group() { getent group "$1" >/dev/null; }
# Copied only if it differs, so that a second run changes nothing.
put() {
  cmp -s "$1" "$2" || run install -D -m "$3" "$1" "$2"
}

packages() {
  local list=(git python3 python3-venv ca-certificates)
  [ -z "$caddy" ] || list+=(caddy)
  run apt-get update -qq
  run env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${list[@]}"
}

environment() {
  run mkdir -p "$root"
  [ -x "$venv/bin/python" ] || run python3 -m venv "$venv"
  if [ -n "$dry" ] || ! cmp -s "$source/requirements.lock" "$root/requirements.lock"; then
    run "$venv/bin/python" -m pip install -q --disable-pip-version-check -r "$source/requirements.lock"
    run "$venv/bin/python" -m pip install -q --disable-pip-version-check 'jupyterhub-systemdspawner==1.0.2'
  fi
  run "$venv/bin/python" -m pip install -q --no-deps --no-build-isolation --force-reinstall "$source"
  put "$source/requirements.lock" "$root/requirements.lock" 644
}

program() {
  # The hub's own modules, readable for everybody: single-user servers read theirs.
  run mkdir -p "$root"
  run rm -rf "$root/hub.new"
  run cp -r "$source/hub" "$root/hub.new"
  run chmod -R u=rwX,go=rX "$root/hub.new"
  run rm -rf "$root/hub"
  run mv "$root/hub.new" "$root/hub"
}

person() {
  has_user "$1" || run useradd --create-home --shell /bin/bash "$1"
  run chmod 700 "/home/$1"
  id -nG "$1" 2>/dev/null | tr ' ' '\n' | grep -qx "$2" || run usermod -a -G "$2" "$1"
}

users() {
  local group
  for group in course-students course-instructors; do
    has_group "$group" || run groupadd "$group"
  done
  person "$instructor" course-instructors
  local student
  for student in ${people[@]+"${people[@]}"}; do
    person "$student" course-students
  done
}

folders() {
  run install -d -m 700 "$state"
  run install -d -m 755 /srv/nbgrader
  # Everybody may write, nobody may rename what is another's.
  run install -d -m 1777 "$exchange"
  # The course's own folder is there before any student can make one of that name.
  run install -d -m 755 -o "$instructor" -g "$instructor" "$exchange/$(course)"
  if [ ! -e "/home/$instructor/course" ]; then
    run git clone -q --no-hardlinks "$source" "/home/$instructor/course"
    run chown -R "$instructor:$instructor" "/home/$instructor/course"
    run chmod 700 "/home/$instructor/course"
  fi
  # nbgitpuller and git read repositories of another owner only if they are told so.
  local published="$state-lessons"
  git config --system --get-all safe.directory 2>/dev/null | grep -qxF "$published" \
    || run git config --system --add safe.directory "$published"
}

course() {
  local found
  found=$(sed -n 's/^course = "\(.*\)".*/\1/p' "$settings" 2>/dev/null | head -n 1)
  echo "${found:-cnn}"
}

write_settings() {
  if [ -e "$settings" ]; then
    echo "kept: $settings"
    return
  fi
  run install -d -m 700 /etc/course-hub
  run install -m 600 "$source/hub/class_server/settings.example.toml" "$settings"
  run sed -i \
    -e "s|^instructor = .*|instructor = \"$instructor\"|" \
    -e "s|^course_root = .*|course_root = \"/home/$instructor/course\"|" "$settings"
}

services() {
  local unit
  # The proxy, a program for Node, is fetched now and not when the hub first starts.
  run env --chdir="$root" "$venv/bin/python" -c \
    "from pathlib import Path; from hub.demo.node import proxy_command; proxy_command(Path('$state/proxy'))"
  for unit in course-hub.service course-hub-backup.service course-hub-backup.timer course-students.slice; do
    put "$source/hub/class_server/$unit" "/etc/systemd/system/$unit" 644
  done
  if [ -n "$caddy" ] && ! grep -qs 127.0.0.1:8000 /etc/caddy/Caddyfile; then
    run install -D -m 644 "$source/hub/class_server/Caddyfile" /etc/caddy/Caddyfile
  fi
  run systemctl daemon-reload
  run systemctl enable --now course-hub-backup.timer
  run systemctl enable course-hub.service
  run systemctl restart course-hub.service
}

wanted packages && { say "packages"; packages; }
wanted environment && { say "environment (TensorFlow and JupyterLab: some minutes, 2 GB)"; environment; }
say "program"
program
wanted users && { say "users"; users; }
wanted settings && { say "settings"; write_settings; }
wanted folders && { say "folders"; folders; }
wanted services && { say "services"; services; }

say "done"
cat <<WORDS
Passwords: this script sets none. For each person:  passwd NAME
Settings:  $settings  (then: systemctl restart course-hub)
Lessons:   as $instructor, in /home/$instructor/course:  nbgrader generate_assignment …
WORDS
