# Real editors, driven by a script, each with backups, swap files and undo files in the same folder where it has them.
. "${TRACKERFS_SOURCE_DIR:?}/tests/lib/edit.sh"
export HOME=$work/home TERM=xterm TMUX_TMPDIR=$work
mkdir -p "$HOME"
open_mount
count_stories

vim_with() { # vim_with EDITOR BACKUPCOPY FILE LINE COLUMN TEXT
    "$1" -u NONE -N -es -c "set backupcopy=$2 backup writebackup swapfile undofile undodir=. directory=. backupdir=." \
        -c "call cursor($4, $5)" -c "normal! i$6" -c "wq" "$3" </dev/null
}
by_emacs_batch() {
    emacs -Q --batch "$1" --eval "(progn (goto-char (point-min)) (forward-line (1- $2)) (forward-char (1- $3)) (insert \"$4\") (save-buffer))" >"$work/emacs.out" 2>&1
}
# In a terminal of its own, so that locks, auto-save and questions are as for a person.
in_terminal() { # in_terminal SECONDS COMMAND...
    local seconds=$1
    shift
    timeout "$seconds" script -qec "$(printf '%q ' "$@")" /dev/null </dev/null >"$work/terminal.out" 2>&1
}
by_emacs() {
    in_terminal 60 emacs -Q -nw "$1" --eval "(progn (goto-char (point-min)) (forward-line (1- $2)) (forward-char (1- $3)) (insert \"$4\") (do-auto-save) (save-buffer) (kill-emacs))"
}
# typed FILE COMMAND... -- KEY...: types into an editor in tmux; ends when the editor does
typed() {
    local command=() session=edit$RANDOM
    while [ "$1" != -- ]; do command+=("$1"); shift; done
    shift
    tmux -L "test$$" new-session -d -x 120 -y 40 -s "$session" "$(printf '%q ' "${command[@]}")"
    until_true 20 "the editor shows the file" bash -c "tmux -L test$$ capture-pane -p -t $session | grep -qE 'alpha|beta|kind'"
    tmux -L "test$$" send-keys -t "$session" "$@"
    (until_true 30 "the editor ends" bash -c "! tmux -L test$$ has-session -t $session") || {
        echo "--- the screen of ${command[0]}:" >&2
        tmux -L "test$$" capture-pane -p -t "$session" | sed '/^$/d' >&2
        return 1
    }
}
by_nano() { typed nano -I -B "+$2,$3" "$1" -- "$4" C-o Enter C-x; }
by_micro() { typed micro "+$2:$3" "$1" -- "$4" C-s C-q; }
by_kakoune() { timeout 30 kak -n -ui dummy -e "execute-keys ${2}g${3}l<esc>; select $2.$3,$2.$3; execute-keys i$4<esc>; write; quit" "$1" </dev/null >"$work/kak.out" 2>&1; }

for copy in yes no auto; do
    saves_once "vim, backupcopy=$copy" vim_with vim $copy
done
saves_once neovim vim_with nvim auto
saves_once "emacs --batch" by_emacs_batch
saves_once emacs by_emacs
saves_once nano by_nano
saves_once micro by_micro
saves_once kakoune by_kakoune

# A refused save: vim says so, and keeps the buffer.
status=0
vim -u NONE -N -es -c 'call setline(1, "flying")' -c 'w!' -c "call writefile([v:errmsg, getline(1), string(&modified)], '$work/vim')" -c 'q!' \
    "$story/.fields/current_state" </dev/null || status=$?
grep -qE "E512|E514|E667" "$work/vim" || fail "vim does not report the refused write: $(cat "$work/vim")"
grep -qx flying "$work/vim" || fail "vim lost its buffer"
grep -q 'started' "$story/.error" || fail ".error does not say which states are allowed: $(cat "$story/.error")"
unmount "$m"
