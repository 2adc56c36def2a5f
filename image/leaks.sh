#!/usr/bin/env bash
# Fails when a tree that is to become an image holds what must be a box's own: leaks.sh TREE
# Keys, passwords, host keys, machine ids, seeds, logs, and traces of the machine that built it.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=debian.sh
. "$(dirname "${BASH_SOURCE[0]}")/debian.sh"

TREE=$1

private_keys() {
    as_root grep --recursive --binary-files=without-match --files-with-matches --devices=skip \
        --regexp='-----BEGIN [A-Z ]*PRIVATE KEY-----' "${TREE}" 2>/dev/null || true
}

secrets_by_name() {
    as_root find "${TREE}" -xdev \( -name 'ssh_host_*' -o -name 'authorized_keys' -o -name '.ssh' -o -name 'random-seed' \
        -o -name 'credential.secret' -o -name '.bash_history' -o -name '.netrc' -o -name 'pip.conf' -o -name 'auth.conf' \) -print
}

left_over_files() {
    as_root find "${TREE}"/{var/log,var/cache,var/tmp,tmp,root,run,data} -type f -size +0 \
        -not -name '.bashrc' -not -name '.profile' -print
}

# shellcheck disable=SC2016 # awk's field, not the shell's
accounts_with_a_password() { as_root awk -F: '$2 !~ /^[!*]/ { print $1 }' "${TREE}/etc/shadow"; }

traces_of_this_machine() {
    [[ -s ${TREE}/etc/machine-id ]] && echo /etc/machine-id
    [[ -L ${TREE}/etc/resolv.conf ]] || echo /etc/resolv.conf
    [[ $(<"${TREE}/etc/hostname") == branchbox ]] || echo /etc/hostname
    [[ -e ${TREE}/etc/apt ]] && echo /etc/apt
    return 0
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
