#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The two commands of the README on a bare machine: makes a fresh Debian 12 chroot, unpacks the
# committed HEAD in it, runs `examples/run.sh xor` and `tests/run.sh`, and lists the packages that
# came with them. Needs root and mmdebstrap. Mirror, proxy and the like are this machine's own, as
# apt's configuration has them.
#
# usage: tests/chroot.sh [--keep] [COMMAND...]
#   --keep       leave the chroot where it is
#   COMMAND...   run these instead, each one a shell command, in the unpacked sources
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

keep=false
case ${1:-} in
  -h | --help)
    sed -n '3,/^set /{/^#/s/^# \{0,1\}//p}' tests/chroot.sh
    exit 0
    ;;
  --keep)
    keep=true
    shift
    ;;
esac
if [ $# = 0 ]; then set -- "./examples/run.sh xor" "./tests/run.sh"; fi
if [ "$(id -u)" != 0 ] || ! command -v mmdebstrap >/dev/null; then
  echo "tests/chroot.sh: needs root and the package mmdebstrap" >&2
  exit 1
fi

work=$(mktemp -d)
root=$work/root
chmod 755 "$work"
mounted=()
cleanup() {
  local i
  for ((i = ${#mounted[@]} - 1; i >= 0; i--)); do umount "${mounted[i]}"; done
  # Never reach through a mount that could not be taken away.
  if ! $keep && ! grep -qF " $root/" /proc/mounts; then rm -rf "$work"; fi
}
trap cleanup EXIT

# Debian 12's lines of this machine's apt configuration; none on another system, where mmdebstrap
# knows its own default.
sources=()
while read -r uri release component; do
  sources+=("deb $uri $release $component")
done < <(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' \
  'Identifier: Packages' 2>/dev/null | grep -E ' bookworm(-updates|-security)? ' | LC_ALL=C sort -u)
options=()
while IFS= read -r line; do
  options+=(--aptopt="$line")
done < <(apt-config dump | grep -E '^Acquire::(https?|Retries|Check-Valid-Until|Check-Date)[: ]' |
  grep -v ' "";$')

echo "creating $root"
mmdebstrap --quiet --variant=apt "${options[@]}" bookworm "$root" "${sources[@]}"

[ ! -e /etc/resolv.conf ] || cp -L /etc/resolv.conf "$root/etc/resolv.conf"
cp -L /etc/hosts "$root/etc/hosts"
for folder in proc dev dev/pts dev/shm; do  # a container may forbid this; what needs them will say so
  if mount --bind "/$folder" "$root/$folder" 2>/dev/null; then mounted+=("$root/$folder"); fi
done

packages() { chroot "$root" dpkg-query -W -f '${binary:Package} ${Version}\n' | LC_ALL=C sort; }
packages >"$work/before"
mkdir -p "$root/src"
git archive HEAD | tar -x -C "$root/src"

status=0
for command in "$@"; do
  echo "--- $command"
  start=$SECONDS
  chroot "$root" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 CI=true \
    bash -c "cd /src && $command" </dev/null || status=1
  echo "--- $((SECONDS - start)) s: $command"
  packages | LC_ALL=C comm -13 "$work/before" - >"$work/installed"
done

echo "--- $(wc -l <"$work/installed") packages were installed; asked for by name:"
chroot "$root" apt-mark showmanual | LC_ALL=C sort |
  grep -xF -f <(cut -d' ' -f1 "$work/installed" | sed 's/:.*//') || true
echo "--- all of them:"
cat "$work/installed"
exit $status
