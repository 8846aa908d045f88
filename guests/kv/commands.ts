// Carries out the command that was read last: one switch over all of them.
import { acceptsCount, Command, commandOf, findCommand } from './command-table'
import { Connection } from './connections'
import { dbSize, del, exists, keys, scan, ttl, type } from './key-commands'
import { replyError, replyErrorAbout, replyOk, replyWrongCount } from './reply'
import { argumentAt, argumentCount, argumentLength } from './request'
import { client, commandList, config, countCommand, echo, flushAll, hello } from './server-commands'
import { info, ping, refuseTime, reset, select } from './server-commands'
import { discard, exec, isHeardInMulti, multi, refuseWatch } from './transactions'
import { add, addArgument, append, get, getSet, mget, mset, refuseExpiry } from './string-commands'
import { set, setNx, strLen } from './string-commands'

export function execute(connection: usize): void {
  countCommand()
  const at = argumentAt(0)
  const length = argumentLength(0)
  const slot = findCommand(at, length)
  if (!slot) {
    replyErrorAbout("ERR unknown command '", at, length, "'")
    return
  }
  const command = commandOf(slot)
  const isOdd = command == Command.Mset && (argumentCount() & 1) == 0
  if (isOdd || !acceptsCount(slot, argumentCount())) {
    replyWrongCount(at, length)
    return
  }
  if (changetype<Connection>(connection).refusing && !isHeardInMulti(command)) {
    replyError('EXECABORT not executed: it follows MULTI, which is not supported')
    return
  }
  run(command, connection)
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
    case Command.Exec:
      return exec(connection)
    case Command.Exists:
      return exists()
    case Command.Expire:
      return refuseExpiry()
    case Command.FlushAll:
      return flushAll()
    case Command.Get:
      return get()
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
    case Command.Ping:
      return ping()
    case Command.Quit:
      return quit(connection)
    case Command.Reset:
      return reset(connection)
    case Command.Scan:
      return scan()
    case Command.Select:
      return select()
    case Command.Set:
      return set()
    case Command.SetNx:
      return setNx()
    case Command.StrLen:
      return strLen()
    case Command.Time:
      return refuseTime()
    case Command.Ttl:
      return ttl()
    case Command.Type:
      return type()
    case Command.Unwatch:
    case Command.Watch:
      return refuseWatch()
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
