#!/usr/bin/env bash
# Usage: Tests/Deploy/install/check-portability.sh [--help]
#
# Holds that the installer says nothing that bash 3.2 (macOS) does not understand, and calls nothing that only GNU's tools
# know. There is no bash 3.2 for Debian, so this reads the text; check-install.py runs it under tools without extensions.
# Each forbidden form is first tried on a line that has it, so that no pattern is blind.
#
# Exit codes: 0 clean, 1 findings, 64 wrong arguments.
set -euo pipefail
# shellcheck source=scripts/lib/common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/../../../scripts/lib/common.sh"
case "${1:-}" in
  '') ;;
  -h | --help) usage && exit 0 ;;
  *) die "$EX_USAGE" "unknown argument: $1" ;;
esac
cd "$ROOT"

# What install.sh reads. Of common.sh the installer calls say, step, warn, die, usage and is_root.
readonly FILES=(scripts/install.sh scripts/lib/install-*.sh scripts/lib/common.sh)

# Begins a command: at the start, after a separator, a substitution, or a word that introduces one.
readonly AT='(^ *|[;&|!{] *|\$\( *|^ *\( *|`|\b(if|then|else|elif|do|while|until|exec) +)'
# pattern <tab> a line that has it
forbidden() {
  cat <<'TABLE'
\b(mapfile|readarray)\b	mapfile -t lines
\b(declare|typeset|local) +-[a-zA-Z]*[An]	declare -A table
\$\{!?[A-Za-z_]+(\^|,)	echo "${name,,}"
\$\{[A-Za-z_]+@	echo "${name@Q}"
&>>	command &>>log
\|&	one |& two
\bcoproc\b	coproc cat
\bwait +-n\b	wait -n
%\([^)]*\)T	printf '%(%F)T'
\b(EPOCHSECONDS|EPOCHREALTIME|BASHPID|SRANDOM)\b	echo $BASHPID
(\[|test) +-v +	[[ -v name ]]
\bread\b.* -t *[0-9]*\.	read -r -t 0.5 line
\bread\b.* -N	read -r -N 1 key
;;?&	a) one ;;&
\$\{[A-Za-z_]+\[-	echo "${list[-1]}"
(^|[^+])"\$\{[A-Za-z_]+\[[@*]\]\}"	run "${list[@]}"
\bshopt\b	shopt -s globstar
\$'[^']*\\u	echo $'\u2713'
\{fd\}|\{[a-z]+\}[<>]	exec {fd}<file
\bsed +(-[a-zA-Z]+ +)*-[a-zA-Z]*[irz]	sed -i s/a/b/ file
\bsed\b.*\\[+?|]	sed 's/a\+/b/'
\bgrep\b.* -[a-zA-Z]*P	grep -P x
\bdate\b.* (-d|--date|-[a-zA-Z]*r\b|-I)	date -d tomorrow
\bcp\b.* -[a-zA-Z]*[at]	cp -a one two
\bhead\b.* -c	head -c 2 file
\bmktemp\b.* --	mktemp --directory
\bbase64\b.* -w	base64 -w 0
\bls\b.* --	ls --color
\bps\b.* --[a-z]*pid	ps --ppid 1
\bprintf\b.*%q	printf %q "$x"
\bxargs\b.* -[a-zA-Z]*[rd]	xargs -r rm
\bfind\b.* -(printf|quit)	find . -printf %f
TABLE
}
# Programs that macOS lacks, or whose options differ.
readonly PROGRAMS='readlink|realpath|stat|timeout|tac|seq|nproc|free|getent|flock|setsid|sha256sum|md5sum|shuf|ss|ip|gawk|install|numfmt|truncate|pidof|who'

findings=0
complain() {
  findings=$((findings + 1))
  say "$*"
}

# Comments are for people; what is printed for a person to type on Linux is in quotes after "Next".
text() { sed -e 's/^[[:blank:]]*#.*//' -e 's/ # .*//' -e 's/".*Next: .*"//' "$1"; }

while IFS=$'\t' read -r pattern sample; do
  grep -Eq -- "$pattern" <<<"$sample" || complain "the pattern $pattern does not see: $sample"
  for file in "${FILES[@]}"; do
    hits="$(text "$file" | grep -nE -- "$pattern" || true)"
    [[ -z "$hits" ]] || complain "$file: not bash 3.2 and BSD ($pattern): $hits"
  done
done < <(forbidden)

pattern="$AT($PROGRAMS)( |\$)"
# shellcheck disable=SC2016
for sample in 'x="$(readlink -f a)"' 'if stat file; then' '  timeout 5 command' 'a | tac'; do
  grep -Eq -- "$pattern" <<<"$sample" || complain "the pattern of programs does not see: $sample"
done
for file in "${FILES[@]}"; do
  hits="$(text "$file" | grep -nE -- "$pattern" || true)"
  [[ -z "$hits" ]] || complain "$file: a program that macOS lacks: $hits"
done

[[ $findings -eq 0 ]] || die 1 "$findings findings"
say "clean: ${#FILES[@]} files, $(forbidden | wc -l) forms"
