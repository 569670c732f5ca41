@0xd1a5d0e2b7c94f13;
# The header of every message: messages.h is the same in C++, codec.cc translates. Bulk (keys, rows) is not in here but
# follows in raw frames. Fields are only ever added, at the end; a change that an older build cannot read raises
# kProtocolVersion.
using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("dyad::wire::schema");

struct Header {
  magic @0 :UInt32;              # "DYAD": tells a stranger's message from ours
  version @1 :UInt16;
  role @2 :UInt8;
  senderId @3 :UInt32;
  incarnation @4 :UInt64;
  request @5 :UInt64;
  routing @6 :UInt64;
  body :union {
    pull @7 :Pull;
    pullReply @8 :PullReply;
    push @9 :Push;
    pushReply @10 :PushReply;
    register @11 :Register;
    registered @12 :Registered;
    getRouting @13 :Void;
    routingTable @14 :Routing;
    heartbeat @15 :Heartbeat;
    heartbeatReply @16 :HeartbeatReply;
    acquireLease @17 :AcquireLease;
    lease @18 :Lease;
    completeLease @19 :CompleteLease;
    cutPart @20 :CutPart;
    cutStatus @21 :CutStatus;
    evalResult @22 :EvalResult;
    goodbye @23 :Goodbye;
    ack @24 :Void;
    errorReply @25 :ErrorReply;
  }
  run @26 :UInt64;
}

struct Section { table @0 :UInt8; count @1 :UInt32; }
struct Number { name @0 :Text; value @1 :Float64; }
struct Fact { name @0 :Text; value @1 :Text; }
struct FilePart { path @0 :Text; bytes @1 :UInt64; digest @2 :UInt64; }

struct Pull { atLeast @0 :UInt64; values @1 :UInt8; sections @2 :List(Section); }
struct PullReply { applied @0 :UInt64; values @1 :UInt8; sections @2 :List(Section); }
struct Push {
  step @0 :UInt64;
  learningRate @1 :Float32;
  cut @2 :Bool;
  values @3 :UInt8;
  sections @4 :List(Section);
}
struct PushReply { step @0 :UInt64; duplicate @1 :Bool; }

struct Digest { name @0 :Text; value @1 :UInt64; }
struct Table {
  name @0 :Text;
  width @1 :UInt32;
  keyEnd @2 :UInt64;
  seed @3 :UInt64;
  stream @4 :UInt64;
  initStd @5 :Float32;
  optimizer @6 :Text;
  beta1 @7 :Float32;
  beta2 @8 :Float32;
  eps @9 :Float32;
  weightDecay @10 :Float32;
  clip @11 :Float32;
}
struct Register {
  address @0 :Text;
  configDigest @1 :UInt64;
  pid @2 :UInt32;
  host @3 :Text;
  data @4 :List(Digest);
  tables @5 :List(Table);
}
struct Registered {
  incarnation @0 :UInt64;
  resume @1 :UInt64;
  checkpoint @2 :Text;
  run @3 :UInt64;
  generation @4 :UInt64;
  manifest @5 :UInt64;
}
struct Routing {
  epoch @0 :UInt64;
  groupServer @1 :List(UInt32);
  serverAddress @2 :List(Text);
  serverIncarnation @3 :List(UInt64);
  tables @4 :List(Table);
  workerIncarnation @5 :List(UInt64);
}
struct Heartbeat { state @0 :Text; step @1 :UInt64; metrics @2 :List(Number); }
struct HeartbeatReply { command @0 :UInt8; }
struct AcquireLease { epoch @0 :UInt64; firstBatch @1 :UInt64; }
struct Lease { id @0 :UInt64; epoch @1 :UInt64; firstBatch @2 :UInt64; endBatch @3 :UInt64; }
struct CompleteLease { id @0 :UInt64; endBatch @1 :UInt64; count @2 :UInt64; checksum @3 :UInt64; }
struct CutPart { step @0 :UInt64; files @1 :List(FilePart); facts @2 :List(Fact); failure @3 :Text; }
struct CutStatus { step @0 :UInt64; committed @1 :Bool; givenUp @2 :Text; }
struct EvalResult {
  checkpoint @0 :Text;
  split @1 :Text;
  metrics @2 :List(Number);
  manifest @3 :UInt64;
  settings @4 :Text;
}
struct Goodbye { reason @0 :Text; }
struct ErrorReply { code @0 :UInt8; message @1 :Text; }
