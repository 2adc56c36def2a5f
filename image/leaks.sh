#!/usr/bin/env bash
# Fails when what is to become an image holds what must be a box's own: leaks.sh TREE [FOLDER ...]
# Keys, passwords, host keys, machine ids, seeds, logs, and traces of the machine that built it. In the further folders, as
# that of the boot partition, only keys, names of secrets and traces in files are looked for.
# A check that cannot be made fails, too: nothing here ends well because a file was not there.
set -euo pipefail
shopt -s inherit_errexit
# shellcheck source-path=SCRIPTDIR source=debian.sh
. "$(dirname "${BASH_SOURCE[0]}")/debian.sh"

TREE=$1
FOLDERS=("$@")
# The armour of a key, then perhaps headers, then key: libraries that read keys have the armour's words in them, too.
PRIVATE_KEY='-----BEGIN [A-Z ]*PRIVATE KEY( BLOCK)?-----\s+([A-Za-z-]+:[^\n]*\n\s*)*[A-Za-z0-9+/=]{24}'

# Files with a match, also binary ones, every one as a whole; none is well, an error is not.
files_with() {
    local status=0
    as_root env LC_ALL=C grep --recursive --devices=skip --text --null-data --files-with-matches "$@" "${FOLDERS[@]}" || status=$?
    [[ ${status} -le 1 ]] || fail "grep could not look through ${FOLDERS[*]}"
}

private_keys() { files_with --perl-regexp --regexp="${PRIVATE_KEY}"; }

secrets_by_name() {
    as_root find "${FOLDERS[@]}" -xdev \( -name 'ssh_host_*' -o -name 'authorized_keys' -o -name 'known_hosts' -o -name '.ssh' \
        -o -name 'id_rsa*' -o -name 'id_ecdsa*' -o -name 'id_ed25519*' -o -name '*.key' -o -name '*.p12' -o -name '*.pfx' \
        -o -name '.gnupg' -o -name '.git' -o -name '.git-credentials' -o -name '.env' -o -name '.pgpass' -o -name '.pypirc' \
        -o -name 'random-seed' -o -name 'credential.secret' -o -name '.*_history' -o -name '.netrc' -o -name 'pip.conf' \
        -o -name 'auth.conf' -o -name 'auth.conf.d' -o -name 'branchbox.db*' -o -name 'branchbox.toml' -o -name 'wifi.conf' \
        -o -path '*/etc/wpa_supplicant/*.conf' -o -name 'system-connections' -o -name '*.lease*' \) -print
}

left_over_files() {
    local folder folders=()
    for folder in "${TREE}"/{var/log,var/cache,var/tmp,tmp,root,run,data,home,etc/ssl/private}; do
        [[ ! -d ${folder} ]] || folders+=("${folder}")
    done
    as_root find "${folders[@]}" -type f -size +0 -not -name '.bashrc' -not -name '.profile' -print
}

# Locked is `!` or `*` alone: behind a mark that locks may still stand what somebody can guess at.
# shellcheck disable=SC2016 # awk's field, not the shell's
accounts_with_a_password() {
    as_root awk -F: '$2 !~ /^[!*]+$/ { print $1 }' "${TREE}/etc/shadow"
    as_root awk -F: '$2 != "x" { print $1 }' "${TREE}/etc/passwd"
    as_root awk -F: '$2 !~ /^[!*]*$/ { print $1 }' "${TREE}/etc/gshadow"
}

traces_of_this_machine() {
    [[ -s ${TREE}/etc/machine-id ]] && echo /etc/machine-id
    [[ -f ${TREE}/var/lib/dbus/machine-id && ! -L ${TREE}/var/lib/dbus/machine-id ]] && echo /var/lib/dbus/machine-id
    [[ -L ${TREE}/etc/resolv.conf ]] || echo /etc/resolv.conf
    [[ $(<"${TREE}/etc/hostname") == branchbox ]] || echo /etc/hostname
    [[ -e ${TREE}/etc/apt ]] && echo /etc/apt
    # Where it was built: nobody's business, and another place would give other bytes.
    files_with --fixed-strings --regexp="${ROOT}"
}

main() {
    local kind leaks
    leaks=$(
        for kind in private_keys secrets_by_name left_over_files accounts_with_a_password traces_of_this_machine; do
            "${kind}" | sed --expression="s|^${TREE}||" --expression="s|^|leak: ${kind//_/ }: |"
        done
    )
    if [[ -n ${leaks} ]]; then
        printf '%s\n' "${leaks}" >&2
        fail "the image holds what must not be in it"
    fi
    say "no key, password, host key, machine id or log in the tree"
}

main
