# A room is a folder at the root: an object library with an include root of its own, <room>/include, that only the rooms
# after it may see. An include against the direction of the arrows does not compile.
#
#   whence_room(<name> [AFTER <room>...] HOT <file>... SOURCES <file>...)
#
# HOT is what runs for every context and every span: as fast as can be. All else is made small; the library is to stay in
# caches, and what is called once a second need not be fast.
function(whence_room name)
    cmake_parse_arguments(ROOM "" "" "AFTER;HOT;SOURCES" ${ARGN})
    add_library(whence_${name} OBJECT ${ROOM_HOT} ${ROOM_SOURCES})
    if(ROOM_SOURCES)
        set_source_files_properties(${ROOM_SOURCES} PROPERTIES COMPILE_OPTIONS "$<$<CONFIG:Release,RelWithDebInfo>:-Os>")
    endif()
    target_include_directories(whence_${name}
        PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
        PUBLIC $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include>)
    foreach(room IN LISTS ROOM_AFTER)
        target_include_directories(whence_${name} PUBLIC
            $<TARGET_PROPERTY:whence_${room},INTERFACE_INCLUDE_DIRECTORIES>)
    endforeach()
    whence_compiles(whence_${name})
endfunction()

# How everything that ends up in a library is compiled.
function(whence_compiles target)
    target_compile_definitions(${target} PRIVATE _GNU_SOURCE)
    target_compile_options(${target} PRIVATE ${WHENCE_WARNINGS} ${WHENCE_TLS})
    set_target_properties(${target} PROPERTIES
        C_STANDARD 11 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF C_VISIBILITY_PRESET hidden POSITION_INDEPENDENT_CODE ON)
endfunction()
