# For the other scripts: what is checked, and how it is compiled. Run from the top of the tree.

# Files that are tracked or about to be, with these endings under these folders.
files() {
    git ls-files -co --exclude-standard -- "$@" | sort -u | while read -r file; do
        [ -f "$file" ] && echo "$file"
    done
}

# The libraries are those of the Makefile, which also has what is made of the .proto files.
# shellcheck disable=SC2034,SC2046
flags=(-std=gnu17 -Iconnector -I. -I"${BUILD:-build/release/bin}/../proto" -DVERSION='"check"'
    $(pkg-config --cflags $(sed -n 's/^PACKAGES *:= *//p' Makefile)))

need() { # PROGRAM
    command -v "$1" >/dev/null && return
    echo "there is no $1; ./build.sh install check"
    exit 1
}
