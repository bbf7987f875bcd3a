#!/bin/sh
# Writes the secrets that docker-compose.yml mounts, once: what exists is kept.
#
#   sh deploy/compose/init-secrets.sh                       # no LLM: the deterministic path answers
#   LLM_API_KEY=... sh deploy/compose/init-secrets.sh       # with a provider's key
#   sh deploy/compose/init-secrets.sh SOME_OTHER_FOLDER
set -eu

folder=${1:-$(dirname "$0")/secrets}
mkdir -p "$folder"
# The folder is closed to others; the files are readable, because the services' user inside the containers is not yours.
chmod 700 "$folder"

random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

keep_or_write() {
    if [ -e "$folder/$1" ]; then
        echo "kept    $folder/$1"
        cat >/dev/null
    else
        cat >"$folder/$1"
        chmod 444 "$folder/$1"
        echo "written $folder/$1"
    fi
}

rabbitmq_password=$(random)
mongodb_password=$(random)
# A password and the URL that holds it are written together or not at all.
if [ ! -e "$folder/amqp_url" ] || [ ! -e "$folder/rabbitmq_user.conf" ]; then
    rm -f "$folder/amqp_url" "$folder/rabbitmq_user.conf"
fi
if [ ! -e "$folder/mongodb_url" ] || [ ! -e "$folder/mongodb_password" ]; then
    rm -f "$folder/mongodb_url" "$folder/mongodb_password"
fi

printf 'default_user = pyloto\ndefault_pass = %s\n' "$rabbitmq_password" | keep_or_write rabbitmq_user.conf
printf 'amqp://pyloto:%s@rabbitmq:5672/' "$rabbitmq_password" | keep_or_write amqp_url
printf '%s' "$mongodb_password" | keep_or_write mongodb_password
printf 'mongodb://pyloto:%s@mongo:27017/?authSource=admin' "$mongodb_password" | keep_or_write mongodb_url
random | keep_or_write grpc_auth_token
random | keep_or_write gateway_pseudonym_key
# A key that came later takes the place of none.
if [ -n "${LLM_API_KEY:-}" ] && [ ! -s "$folder/llm_api_key" ]; then
    rm -f "$folder/llm_api_key"
fi
printf '%s' "${LLM_API_KEY:-}" | keep_or_write llm_api_key
