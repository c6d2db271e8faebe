# ./dev package: the Debian package, from a copy of the sources in build/package/. Options to dpkg-buildpackage come from
# packaging/debian; what was compiled before is compiled only if it changed.

package_folder=build/package

# package [test | container]
package() {
  case ${1:-} in
    '') make_package ;;
    test) make_package && packaging/test-deb.sh "$package_folder" ;;
    *) fail "There is no 'package $1': only ./dev package and ./dev package test" ;;
  esac
}

make_package() {
  install_packages build
  install_packaging_tools
  use_node
  install_npm web
  local version source=$package_folder/source
  version=$(sed -n '1s/.*(\(.*\)).*/\1/p' packaging/debian/changelog)
  copy_sources "$source"
  step "Building call-service $version" build/logs/package.log build_package "$source"
  attempt "Checking it with lintian" build/logs/lintian.log \
    lintian --fail-on error --allow-root "$(package_file "$version")" || exit 1
  say "$(package_file "$version")"
}

package_file() { echo "$package_folder/call-service_$1_$(dpkg --print-architecture).deb"; }

install_packaging_tools() {
  local missing
  missing=$(printf '%s\n' debhelper dpkg-dev fakeroot lintian rsync | without_installed)
  [ -z "$missing" ] || install_chosen "$missing"
}

# The files that git knows, or would know; times are kept, so that what is unchanged is not compiled again.
copy_sources() {
  mkdir -p "$1"
  git ls-files --cached --others --exclude-standard src web CMakeLists.txt LICENSE README.md docs packaging/monitoring packaging/proxy |
    rsync -a --files-from=- . "$1"
  rsync -a --delete --exclude=call-service --exclude=.debhelper --exclude='*.substvars' --exclude=files \
    --exclude='*.debhelper.log' packaging/debian/ "$1/debian"
}

build_package() {
  env -C "$1" CCACHE_DIR="${CCACHE_DIR:-$HOME/.cache/ccache}" CCACHE_BASEDIR="$root/$1" \
    SWAGGER_UI="$root/web/node_modules/swagger-ui-dist" \
    DEB_BUILD_OPTIONS="parallel=$(nproc) noautodbgsym terse" dpkg-buildpackage --build=binary --unsigned-changes --no-pre-clean
}
