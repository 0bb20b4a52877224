%% A server made of Erlang's ssh: forwards by its own, and whatever the command, a channel gives back
%% what it is given (Erlang's ports have no half-close, so none can be a program's input).
%%
%% erl ... -extra AUTHORIZED_KEYS USER PASSWORD HOST_KEY...
%% An empty password lets everybody in.
-module(erlang_server).
-behaviour(ssh_server_channel).
-behaviour(ssh_server_key_api).
-export([main/0]).
-export([init/1, handle_msg/2, handle_ssh_msg/2, terminate/2]).
-export([host_key/2, is_auth_key/3]).

main() ->
    [Authorized, User, Password | HostKeys] = init:get_plain_arguments(),
    {ok, _} = application:ensure_all_started(ssh),
    Keys = #{host => lists:flatmap(fun private_keys/1, HostKeys),
             users => read(Authorized, auth_keys),
             user => User},
    {ok, Daemon} = ssh:daemon({127, 0, 0, 1}, 0,
        [{key_cb, {?MODULE, [Keys]}},
         {auth_methods, "publickey,keyboard-interactive,password"},
         {pwdfun, fun(Name, Word) -> {Name, Word} =:= {User, Password} end},
         {no_auth_needed, Password =:= ""},
         {tcpip_tunnel_in, true},
         {tcpip_tunnel_out, true},
         {parallel_login, true},
         {subsystems, []},
         {ssh_cli, {?MODULE, []}}]),
    {ok, Facts} = ssh:daemon_info(Daemon),
    io:format(standard_error, "listening on port ~p~n", [proplists:get_value(port, Facts)]).

%% ---- keys

read(Path, Kind) ->
    {ok, Text} = file:read_file(Path),
    [Key || {Key, _} <- ssh_file:decode(Text, Kind)].

private_keys(Path) ->
    read(Path, openssh_key_v1).

host_key(Algorithm, Options) ->
    [#{host := Keys}] = proplists:get_value(key_cb_private, Options),
    case [Key || Key <- Keys, lists:prefix(algorithm(Key), atom_to_list(Algorithm))] of
        [Key | _] -> {ok, Key};
        [] -> {error, no_such_key}
    end.

%% Of a private key; a prefix of what signs with it.
algorithm(Key) when element(1, Key) =:= 'RSAPrivateKey' -> "rsa-sha2-";
algorithm(Key) when element(1, Key) =:= 'ECPrivateKey' ->
    case element(4, Key) of
        {namedCurve, {1, 3, 101, 112}} -> "ssh-ed25519"; % RFC 8410 section 3
        {namedCurve, Curve} -> "ecdsa-sha2-" ++ binary_to_list(public_key:oid2ssh_curvename(Curve))
    end;
algorithm(_) -> "none: a public key".

is_auth_key(Key, Name, Options) ->
    [#{users := Keys, user := User}] = proplists:get_value(key_cb_private, Options),
    Name =:= User andalso lists:member(Key, Keys).

%% ---- channels

init([]) ->
    {ok, nothing}.

handle_msg(_, State) ->
    {ok, State}.

handle_ssh_msg({ssh_cm, Connection, {exec, Channel, WantsReply, _Command}}, State) ->
    ssh_connection:reply_request(Connection, WantsReply, success, Channel),
    {ok, State};
handle_ssh_msg({ssh_cm, Connection, {data, Channel, 0, Data}}, State) ->
    _ = ssh_connection:send(Connection, Channel, Data),
    {ok, State};
handle_ssh_msg({ssh_cm, Connection, {eof, Channel}}, State) ->
    _ = ssh_connection:send_eof(Connection, Channel),
    ssh_connection:exit_status(Connection, Channel, 0),
    {stop, Channel, State};
handle_ssh_msg(_, State) ->
    {ok, State}.

terminate(_, _) ->
    ok.
