# A real server posts what happens to a webhook, keeps the failure in it, and tries again after a kill -9 in between. The
# receiver is a second server, which answers 404 and counts: only --faults lets webhooks be http.
. "$(dirname "$0")/../lib/mount.sh"

posts() { curl -fsS "$receiver/__stats" | jq '[.requests[] | select(startswith("POST /hook"))] | length'; }
has_posts() { [ "$(posts)" = "$1" ]; }
api() { # METHOD PATH [BODY]
    curl -fsS -X "$1" -H "X-TrackerToken: $(cat "$work/token")" -H 'Content-Type: application/json' \
        ${3:+--data-binary "$3"} "$url/services/v5/$2"
}
last_error() { [ "$(api GET "projects/$project/webhooks" | jq ".[0].last_error_code")" = "$1" ]; }

use_clock
sample_database "$work/t.db"
sample_database "$work/receiver.db"
start_server "$work/receiver.db" --faults
receiver=$url receiver_port=$port
unset port
rm -f "$work/token"
start_server "$work/t.db" --faults
[ "$port" != "$receiver_port" ] || fail "one port for two servers"
project=$(api GET me | jq '[.projects[] | select(.role == "owner")][0].project_id')

api POST "projects/$project/webhooks" "{\"webhook_url\":\"$receiver/hook\"}" >/dev/null
equal "$(posts)" 0 "posts before anything happened"
api POST "projects/$project/labels" '{"name":"told"}' >/dev/null
until_true 20 "the first post" has_posts 1
until_true 20 "the failure is kept" last_error 404

kill -9 "$server_pid"
until_true 20 "server is gone" dead "$server_pid"
start_server "$work/t.db" --faults
advance_clock 5000
until_true 20 "the second try, by the next process" has_posts 2
equal "$(sqlite3 "$work/t.db" 'SELECT count(*) FROM webhook_delivery')" 1 "what is still to be delivered"

# Without --faults nothing goes to an http address, and none is taken.
stop_server
start_server "$work/t.db"
refused=$(curl -sS -X POST -H "X-TrackerToken: $(cat "$work/token")" -d "{\"webhook_url\":\"$receiver/hook\"}" \
    -H 'Content-Type: application/json' "$url/services/v5/projects/$project/webhooks" | jq -r .requirement)
equal "$refused" "Webhook must use https." "the answer to an http address"
advance_clock 20000
until_true 20 "the try is given up by our own side" last_error 0
has_posts 2 || fail "posted to an http address without --faults"
