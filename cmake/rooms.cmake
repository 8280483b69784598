# A room is a folder at the root: an object library with an include root of its own, <room>/include, that only the rooms
# after it may see. An include against the direction of the arrows does not compile.
#
#   whence_room(<name> [AFTER <room>...] SOURCES <file>...)
function(whence_room name)
    cmake_parse_arguments(ROOM "" "" "AFTER;SOURCES" ${ARGN})
    add_library(whence_${name} OBJECT ${ROOM_SOURCES})
    target_include_directories(whence_${name}
        PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
        PUBLIC $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include>)
    foreach(room IN LISTS ROOM_AFTER)
        target_include_directories(whence_${name} PUBLIC
            $<TARGET_PROPERTY:whence_${room},INTERFACE_INCLUDE_DIRECTORIES>)
    endforeach()
    target_compile_definitions(whence_${name} PRIVATE _GNU_SOURCE)
    target_compile_options(whence_${name} PRIVATE ${WHENCE_WARNINGS} ${WHENCE_TLS})
    set_target_properties(whence_${name} PROPERTIES
        C_STANDARD 11 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF C_VISIBILITY_PRESET hidden POSITION_INDEPENDENT_CODE ON)
endfunction()

# A shared and a static library of those object libraries, with the version script that keeps internal names inside.
#
#   whence_library(<name> OBJECTS <object library>... [LINK <library>...] [NEEDS <whence library>...])
function(whence_library name)
    cmake_parse_arguments(LIB "" "" "OBJECTS;LINK;NEEDS" ${ARGN})
    foreach(object IN LISTS LIB_OBJECTS)
        list(APPEND sources $<TARGET_OBJECTS:${object}>)
    endforeach()
    string(REPLACE "whence" "" suffix ${name})
    string(REPLACE "-" "" suffix "${suffix}")
    if(suffix STREQUAL "")
        set(suffix whence)
    endif()

    add_library(${name} SHARED ${sources})
    set_target_properties(${name} PROPERTIES
        VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR} EXPORT_NAME ${suffix} LINKER_LANGUAGE C)
    target_link_options(${name} PRIVATE
        -Wl,--version-script=${PROJECT_SOURCE_DIR}/cmake/whence.map -Wl,-z,nodelete -Wl,-z,defs)
    set_target_properties(${name} PROPERTIES LINK_DEPENDS ${PROJECT_SOURCE_DIR}/cmake/whence.map)
    target_link_libraries(${name} PRIVATE ${LIB_LINK})

    add_library(${name}-static STATIC ${sources})
    set_target_properties(${name}-static PROPERTIES
        OUTPUT_NAME ${name} EXPORT_NAME ${suffix}-static LINKER_LANGUAGE C)
    target_link_libraries(${name}-static PUBLIC ${LIB_LINK})

    foreach(lib ${name} ${name}-static)
        target_include_directories(${lib} PUBLIC
            $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
    endforeach()
    foreach(need IN LISTS LIB_NEEDS)
        target_link_libraries(${name} PUBLIC ${need})
        target_link_libraries(${name}-static PUBLIC ${need}-static)
    endforeach()
    add_library(whence::${suffix} ALIAS ${name})
    add_library(whence::${suffix}-static ALIAS ${name}-static)
    install(TARGETS ${name} ${name}-static EXPORT whence
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
endfunction()
