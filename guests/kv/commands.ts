// Carries out the command that was read last: one switch over all of them.
import { isNearlyFull } from './allocator'
import { acceptsCount, Command, commandOf, findCommand, HAS_SUBCOMMANDS } from './command-table'
import { rolesOf, WRITES } from './command-table'
import { replyUnknownCommand, replyWrongCount } from './command-errors'
import { Connection } from './connections'
import { expire, persist, time, ttl } from './expiry-commands'
import { dbSize, del, exists, keys, rename, scan, type } from './key-commands'
import { makeRoom } from './lookup'
import { Queued, restoreQueued } from './queued'
import { promise, replyOk } from './reply'
import { argumentAt, argumentCount, argumentLength, argumentsBytes } from './request'
import { client, commandList, config, countCommand, echo, flushAll, hello } from './server-commands'
import { info, isSubcommand, ping, reset, select } from './server-commands'
import { discard, enqueue, multi, refuseExecCount, releaseQueued, spoil } from './transactions'
import { startExec, unwatchKeys, watchKeys } from './transactions'
import { getSet, set, setFor, setNx } from './set-commands'
import { add, addArgument, append, getDel, get, mget, mset, strLen } from './string-commands'
import { endPaid, startPaid } from './work'

const SECOND_MS: i64 = 1000

export function execute(connection: usize): void {
  countCommand()
  const slot = findCommand(argumentAt(0), argumentLength(0))
  if (!slot) {
    spoil(connection)
    return replyUnknownCommand()
  }
  const command = commandOf(slot)
  if (!acceptsCount(slot, argumentCount())) {
    spoil(connection)
    return command == Command.Exec ? refuseExecCount(connection) : replyWrongCount()
  }
  const roles = rolesOf(slot)
  if (roles & HAS_SUBCOMMANDS && !isSubcommand(command)) return spoil(connection)
  if (roles & WRITES && isNearlyFull()) makeRoom(argumentsBytes())
  if (changetype<Connection>(connection).inMulti && !isHeardInMulti(command)) {
    return enqueue(connection, slot)
  }
  if (command == Command.Exec) exec(connection)
  else run(command, connection)
}

/** What is carried out at once all the same. */
function isHeardInMulti(command: i32): bool {
  switch (command) {
    case Command.Discard:
    case Command.Exec:
    case Command.Multi:
    case Command.Quit:
    case Command.Reset:
    case Command.Watch:
    case Command.Web:
      return true
    default:
      return false
  }
}

function exec(connection: usize): void {
  let queued = startExec(connection)
  if (!queued) return
  startPaid()
  while (queued) {
    promise(-(<i64>changetype<Queued>(queued).answer))
    run(restoreQueued(queued), connection)
    queued = releaseQueued(queued)
  }
  endPaid()
}

function run(command: i32, connection: usize): void {
  switch (command) {
    case Command.Append:
      return append()
    case Command.Client:
      return client(connection)
    case Command.CommandList:
      return commandList()
    case Command.Config:
      return config()
    case Command.DbSize:
      return dbSize()
    case Command.Decr:
      return add(-1)
    case Command.DecrBy:
      return addArgument(-1)
    case Command.Del:
      return del()
    case Command.Discard:
      return discard(connection)
    case Command.Echo:
      return echo()
    case Command.Exists:
      return exists()
    case Command.Expire:
      return expire(SECOND_MS)
    case Command.FlushAll:
      return flushAll()
    case Command.Get:
      return get()
    case Command.GetDel:
      return getDel()
    case Command.GetSet:
      return getSet()
    case Command.Hello:
      return hello(connection)
    case Command.Incr:
      return add(1)
    case Command.IncrBy:
      return addArgument(1)
    case Command.Info:
      return info()
    case Command.Keys:
      return keys()
    case Command.Mget:
      return mget()
    case Command.Mset:
      return mset()
    case Command.Multi:
      return multi(connection)
    case Command.PExpire:
      return expire(1)
    case Command.PSetEx:
      return setFor(1)
    case Command.PTtl:
      return ttl(1)
    case Command.Persist:
      return persist()
    case Command.Ping:
      return ping()
    case Command.Quit:
      return quit(connection)
    case Command.Rename:
      return rename()
    case Command.Reset:
      return reset(connection)
    case Command.Scan:
      return scan()
    case Command.Select:
      return select()
    case Command.Set:
      return set()
    case Command.SetEx:
      return setFor(SECOND_MS)
    case Command.SetNx:
      return setNx()
    case Command.StrLen:
      return strLen()
    case Command.Time:
      return time()
    case Command.Ttl:
      return ttl(SECOND_MS)
    case Command.Type:
      return type()
    case Command.Unwatch:
      return unwatchKeys(connection)
    case Command.Watch:
      return watchKeys(connection)
    case Command.Web:
      return hangUp(connection)
  }
}

function quit(connection: usize): void {
  replyOk()
  changetype<Connection>(connection).closing = true
}

/**
 * POST and `Host:` come from a browser: a web page can make it send a request to this port, whose body is the
 * page's. Nothing of it may be carried out, so the connection ends before the body is read.
 */
function hangUp(connection: usize): void {
  changetype<Connection>(connection).closing = true
}
