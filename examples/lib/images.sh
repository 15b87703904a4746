# Container images out of Debian packages: programs, the shared libraries they need, and nothing else.
# Sourced after debian.sh; needs jq. Nothing here needs a registry or a container tool, and root only keeps owners simple.
#
#   images_open DIR                      work below DIR; packages downloaded there are kept
#   images_unpack PACKAGE...             download and unpack packages, with the libraries they depend on
#   images_programs ROOT BELOW PROGRAM.. copy programs and their libraries into ROOT, save what the layer BELOW has
#   images_layer NAME ROOT               make a layer of the directory
#   images_archive FILE NAME CONFIG LAYER...  write an archive of one image; the lowest layer comes first
#
# An archive is an OCI image layout and a `docker save` archive at once, so any tool that reads either one loads it.

images_open() {
  rm -rf "$1/unpacked" "$1"/packages/*.unpacked
  images=$1
  # One merged /usr, whatever age the packages are of.
  images_stage=$images/unpacked
  mkdir -p "$images"/{packages,layers} "$images_stage"/usr/{bin,sbin,lib,lib64}
  local name
  for name in bin sbin lib lib64; do ln -sfn "usr/$name" "$images_stage/$name"; done
}

# Prints the packages and, at any depth, the libraries that they depend on.
images_closure() {
  local todo=("$@") seen=' ' package dependency
  while [ ${#todo[@]} -gt 0 ]; do
    package=${todo[0]}
    todo=("${todo[@]:1}")
    [[ $seen == *" $package "* ]] && continue
    seen+="$package "
    printf '%s\n' "$package"
    for dependency in $(apt-cache depends --no-recommends --no-suggests --no-conflicts --no-breaks \
      --no-replaces --no-enhances "$package" | sed -n 's/^ *|\{0,1\}\(Pre\)\{0,1\}Depends: \([a-z0-9].*\)/\2/p'); do
      case $dependency in lib* | zlib*) todo+=("$dependency") ;; esac
    done
  done
}

images_unpack() {
  need_package_lists
  local package file missing=() closure
  closure=$(images_closure "$@")
  for package in $closure; do
    compgen -G "$images/packages/${package}_*.deb" >/dev/null || missing+=("$package")
  done
  if [ ${#missing[@]} -gt 0 ]; then
    say "downloading Debian packages: ${missing[*]}"
    images_download "${missing[@]}"
  fi
  for package in $closure; do
    [ ! -e "$images/packages/$package.unpacked" ] || continue
    file=$(compgen -G "$images/packages/${package}_*.deb" | tail -n 1)
    dpkg-deb --fsys-tarfile "$file" | tar -x -C "$images_stage" --keep-directory-symlink \
      --no-same-owner --exclude='./usr/share/doc' --exclude='./usr/share/man' --exclude='./usr/share/locale'
    touch "$images/packages/$package.unpacked"
  done
  images_loader=$(find -L "$images_stage/usr/lib64" "$images_stage/usr/lib" -maxdepth 1 \
    -name 'ld-linux*.so.*' -printf '%P\n' -quit)
  [ -n "$images_loader" ] || return 0
  local directory=lib
  [ -e "$images_stage/lib64/$images_loader" ] || [ -L "$images_stage/lib64/$images_loader" ] && directory=lib64
  images_interpreter=/$directory/$images_loader
  images_library_path=$(find "$images_stage/usr/lib" -maxdepth 1 -type d | paste -sd:)
}

# The lists of a machine age, and then name files that are gone: once more with new lists.
images_download() {
  (cd "$images/packages" && apt-get -qq -o APT::Sandbox::User=root download "$@" 2>/dev/null) && return 0
  need_package_lists again
  (cd "$images/packages" && apt-get -qq -o APT::Sandbox::User=root download "$@") ||
    die "could not download: $*"
}

# Prints the path of the unpacked file, links followed inside the unpacked tree.
images_resolve() {
  local path=$1 target i
  for i in 1 2 3 4 5; do
    [ -L "$images_stage$path" ] || break
    target=$(readlink "$images_stage$path")
    case $target in
      /*) path=$target ;;
      *) path=$(dirname "$path")/$target ;;
    esac
  done
  printf '%s\n' "$images_stage$path"
}

images_programs() {
  local root=$1 below=$2 program library needs loader
  shift 2
  loader=$(images_resolve "$images_interpreter")
  for program; do
    install -D -m 755 "$images_stage$program" "$root/usr/${program#/usr/}"
    # A static program needs nothing, and the loader refuses to list it.
    needs=$("$loader" --inhibit-cache --library-path "$images_library_path" --list \
      "$images_stage$program" 2>/dev/null) || continue
    [[ $needs != *'not found'* ]] || die "a library of $program is in no package: $needs"
    for library in $(awk '$2 == "=>" { print $3 }' <<<"$needs"); do
      [[ $library == */ld-linux* ]] || images_copy "$library" "/usr/${library#*/usr/}" "$root" "$below"
    done
    images_copy "$loader" "/usr$images_interpreter" "$root" "$below"
  done
}

images_copy() {
  local file=$1 path=$2 root=$3 below=$4
  [ -e "$root$path" ] || { [ -n "$below" ] && [ -e "$below$path" ]; } ||
    install -D -m 755 "$file" "$root$path"
}

# The same files give the same layer, byte by byte.
images_layer() {
  local name=$1 root=$2
  tar -c -C "$root" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --format=gnu . \
    >"$images/layers/$name.tar"
}

images_blob() { # stores FILE in the layout LAYOUT and prints its digest, without "sha256:"
  local digest
  digest=$(sha256sum <"$1" | cut -d' ' -f1)
  ln -f "$1" "$2/blobs/sha256/$digest"
  printf '%s\n' "$digest"
}

images_archive() {
  local file=$1 name=$2 config=$3 layout digest layer architecture
  shift 3
  layout=$(mktemp -d "$images/archive.XXXXXX")
  mkdir -p "$layout/blobs/sha256"
  case $(dpkg --print-architecture) in
    amd64) architecture=amd64 ;;
    arm64) architecture=arm64 ;;
    *) architecture=$(dpkg --print-architecture) ;;
  esac

  local ids='[]' layers='[]' paths='[]'
  for layer; do
    layer=$images/layers/$layer.tar
    digest=$(images_blob "$layer" "$layout")
    ids=$(jq -c --arg d "sha256:$digest" '. + [$d]' <<<"$ids")
    paths=$(jq -c --arg d "blobs/sha256/$digest" '. + [$d]' <<<"$paths")
    layers=$(jq -c --arg d "sha256:$digest" --argjson s "$(stat -c %s "$layer")" \
      '. + [{mediaType: "application/vnd.oci.image.layer.v1.tar", digest: $d, size: $s}]' <<<"$layers")
  done

  jq -cn --arg a "$architecture" --argjson c "$config" --argjson ids "$ids" '
    {architecture: $a, os: "linux", created: "1970-01-01T00:00:00Z",
     config: ({Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]} + $c),
     rootfs: {type: "layers", diff_ids: $ids}}' >"$layout/config"
  local config_digest config_size
  config_size=$(stat -c %s "$layout/config")
  config_digest=$(images_blob "$layout/config" "$layout")

  jq -cn --arg d "sha256:$config_digest" --argjson s "$config_size" --argjson l "$layers" '
    {schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json",
     config: {mediaType: "application/vnd.oci.image.config.v1+json", digest: $d, size: $s},
     layers: $l}' >"$layout/manifest"
  local manifest_size
  manifest_size=$(stat -c %s "$layout/manifest")
  digest=$(images_blob "$layout/manifest" "$layout")
  rm "$layout/config" "$layout/manifest"

  printf '{"imageLayoutVersion":"1.0.0"}' >"$layout/oci-layout"
  jq -cn --arg d "sha256:$digest" --argjson s "$manifest_size" --arg n "$name" '
    {schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json",
     manifests: [{mediaType: "application/vnd.oci.image.manifest.v1+json", digest: $d, size: $s,
       annotations: {"io.containerd.image.name": $n,
         "org.opencontainers.image.ref.name": ($n | sub(".*:"; ""))}}]}' >"$layout/index.json"
  jq -cn --arg c "blobs/sha256/$config_digest" --arg n "$name" --argjson l "$paths" \
    '[{Config: $c, RepoTags: [$n], Layers: $l}]' >"$layout/manifest.json"
  # Hard links would become links in the archive where an image has the same layer twice.
  tar -c -C "$layout" --hard-dereference --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner \
    -f "$file.part" oci-layout index.json manifest.json blobs
  rm -r "$layout"
  mv "$file.part" "$file"
}

# A root with a shell and the small tools, the directories every program expects, and the usual users.
images_base_root() {
  local root=$1 applet
  mkdir -p "$root"/usr/{bin,sbin,lib,lib64} "$root"/{dev,etc,home,mnt,proc,root,run,srv,sys,tmp} \
    "$root"/var/{lib,log,tmp}
  for applet in bin sbin lib lib64; do ln -s "usr/$applet" "$root/$applet"; done
  ln -s ../run "$root/var/run"
  chmod 1777 "$root/tmp" "$root/var/tmp"
  chmod 700 "$root/root"
  images_programs "$root" '' /usr/bin/busybox
  for applet in $("$(images_resolve "$images_interpreter")" --library-path "$images_library_path" \
    "$images_stage/usr/bin/busybox" --list); do
    [ "$applet" = busybox ] || ln "$root/usr/bin/busybox" "$root/usr/bin/$applet"
  done
  printf '%s\n' 'root:x:0:0:root:/root:/bin/sh' 'daemon:x:1:1:daemon:/usr/sbin:/bin/false' \
    'www-data:x:33:33:www-data:/var/www:/bin/false' 'nobody:x:65534:65534:nobody:/:/bin/false' >"$root/etc/passwd"
  printf '%s\n' 'root:x:0:' 'daemon:x:1:' 'tty:x:5:' 'www-data:x:33:' 'nogroup:x:65534:' >"$root/etc/group"
}
