#!/bin/sh
# propose.sh REPOSITORY FILE PATH VERSION: opens a pull request that puts FILE at PATH in a repository of GitHub. Does
# nothing where it is there already. GH_TOKEN may write to the repository's contents and pull requests.
set -eu

repository=$1
file=$(realpath "$2")
path=$3
version=$4

clone=$(mktemp -d)
trap 'rm -rf "$clone"' EXIT
gh repo clone "$repository" "$clone" -- --quiet --depth=1
cd "$clone"
mkdir -p "$(dirname "$path")"
cp "$file" "$path"
git add -- "$path"
if git diff --cached --quiet; then
  echo "$repository has $path of $version already"
  exit 0
fi
git switch --quiet --create "codex-swarm-$version"
git -c user.name=codex-swarm -c user.email=codex-swarm@users.noreply.github.com commit --quiet \
  --message "codex-swarm $version"
# Nobody else makes branches of this name; one from an earlier attempt is out of date.
git -c credential.helper='!gh auth git-credential' push --quiet --force origin HEAD
gh pr create --repo "$repository" --head "codex-swarm-$version" --title "codex-swarm $version" \
  --body "The sums are those of the release's SHA256SUMS."
