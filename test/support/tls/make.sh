#!/bin/sh
# Makes the certificates of this folder anew (needs openssl). They are valid for 100 years, the expired one excepted.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1"; }

key "$work/ca.key"
openssl req -x509 -new -key "$work/ca.key" -sha256 -days 36500 -subj "/CN=GlobalRoute test CA" -out ca.pem \
  -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign,cRLSign"

key server.key
openssl req -new -key server.key -subj "/CN=shop.example.org" -out "$work/server.csr"
printf 'subjectAltName=DNS:shop.example.org,DNS:*.shop.example.org,IP:192.0.2.1,IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n' > "$work/san"
openssl x509 -req -in "$work/server.csr" -CA ca.pem -CAkey "$work/ca.key" -CAcreateserial -CAserial "$work/serial" \
  -sha256 -days 36500 -extfile "$work/san" -out server.pem

mkdir "$work/db" && : > "$work/db/index" && echo 01 > "$work/db/serial"
cat > "$work/ca.cnf" <<END
[ca]
default_ca = test
[test]
database = $work/db/index
serial = $work/db/serial
new_certs_dir = $work/db
policy = any
default_md = sha256
[any]
commonName = supplied
END
openssl ca -batch -notext -config "$work/ca.cnf" -cert ca.pem -keyfile "$work/ca.key" -in "$work/server.csr" -extfile "$work/san" \
  -startdate 20200101000000Z -enddate 20200201000000Z -out expired.pem 2>/dev/null

# signed by itself: another host's, for whoever chooses between certificates
key other.key
openssl req -x509 -new -key other.key -sha256 -days 36500 -subj "/CN=other.example.org" -out other.pem \
  -addext "subjectAltName=DNS:other.example.org,DNS:*.other.example.org" -addext "extendedKeyUsage=serverAuth"
