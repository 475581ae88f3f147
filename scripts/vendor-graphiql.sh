#!/bin/sh
# Fetches the pinned packages of GraphiQL, checks them against api/assets/graphiql/VENDOR.toml and packs what the binary
# embeds. Needed only to change a version; a build never needs npm.
set -eu
cd "$(dirname "$0")/.."
out=$PWD/api/assets/graphiql
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# package, version, path in the package, name in our folder
list() {
    cat <<'LIST'
react 18.3.1 umd/react.production.min.js react.js
react-dom 18.3.1 umd/react-dom.production.min.js react-dom.js
graphiql 4.1.2 graphiql.min.js graphiql.js
graphiql 4.1.2 graphiql.min.css graphiql.css
@graphiql/plugin-explorer 4.0.6 dist/index.umd.js explorer.js
@graphiql/plugin-explorer 4.0.6 dist/style.css explorer.css
graphql-ws 5.16.2 umd/graphql-ws.min.js graphql-ws.js
LIST
}

cd "$work"
list | cut -d' ' -f1,2 | sort -u | while read -r package version; do
    tarball=$(npm pack --silent "$package@$version")
    sum=$(sha256sum "$tarball" | cut -d' ' -f1)
    if ! grep -q "tarball_sha256 = \"$sum\"" "$out/VENDOR.toml"; then
        echo "$package $version has the checksum $sum, which VENDOR.toml does not list" >&2
        exit 1
    fi
    mkdir -p "x/$package"
    tar -xzf "$tarball" -C "x/$package" --strip-components=1
done
list | while read -r package _ path name; do
    gzip -9nc "x/$package/$path" >"$out/$name.gz"
    sum=$(sha256sum "$out/$name.gz" | cut -d' ' -f1)
    grep -q "sha256 = \"$sum\"" "$out/VENDOR.toml" || echo "$name.gz: write sha256 = \"$sum\" into VENDOR.toml" >&2
done
