#pragma once
// The one precompiled header of every file that sees LibTorch.
#include <torch/torch.h>
// glog-style macros of LibTorch clash with ours (common/base/check.h); ours win.
#undef CHECK
#undef CHECK_EQ
#undef CHECK_NE
#undef CHECK_LE
#undef CHECK_LT
#undef CHECK_GE
#undef CHECK_GT
