#!/usr/bin/env bash
# run.sh TIME [TEXT]: runs every fuzz target, or those whose names contain TEXT, for that long each. What a target finds
# it leaves in testdata/fuzz beside it, from where plain go test runs it ever after.
set -euo pipefail
cd "$(dirname "$0")/../.."
time=$1 text=${2:-}
failed=0
while IFS=: read -r file target; do
	printf '== %s %s\n' "./${file%/*}" "$target"
	go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 1s "./${file%/*}" || failed=1
done < <(grep -ro --include="*_test.go" '^func Fuzz[A-Za-z]*' api internal hack | sed 's/func //' | grep "$text" | sort)
exit "$failed"
