// LD_PRELOAD: a rank whose backward pass finds no memory while the sum of its first bucket is under way. In rank 0 that
// sum begins late, so that rank 1's communication thread is inside MPI when its other thread fails. Threads: any.
#include <dlfcn.h>
#include <mpi.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <atomic>
#include <cerrno>
#include <cstring>

namespace {

std::atomic<bool> sum_is_under_way{false};

bool is_main_thread() { return ::syscall(SYS_gettid) == ::getpid(); }
bool is_rank(const char* rank) {
  const char* const ours = std::getenv("OMPI_COMM_WORLD_RANK");
  return ours && std::strcmp(ours, rank) == 0;
}
template <class F> F next(const char* name, F) { return reinterpret_cast<F>(::dlsym(RTLD_NEXT, name)); }

}  // namespace

extern "C" int MPI_Ialltoallv(const void* out, const int* counts, const int* offsets, MPI_Datatype type, void* in,
                              const int* in_counts, const int* in_offsets, MPI_Datatype in_type, MPI_Comm all,
                              MPI_Request* request) {
  static const auto real = next("MPI_Ialltoallv", &MPI_Ialltoallv);
  if (!is_main_thread() && !sum_is_under_way && is_rank("0")) ::sleep(3);
  const int code = real(out, counts, offsets, type, in, in_counts, in_offsets, in_type, all, request);
  if (!is_main_thread()) sum_is_under_way = true;
  return code;
}

// What LibTorch allocates tensors with.
extern "C" int posix_memalign(void** memory, size_t alignment, size_t size) {
  static const auto real = next("posix_memalign", &posix_memalign);
  if (is_rank("1") && is_main_thread() && sum_is_under_way && size >= 1024) return ENOMEM;
  return real(memory, alignment, size);
}
